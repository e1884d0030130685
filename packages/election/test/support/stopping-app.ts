/** An app that does nothing but stop, in the way that its first argument's environment names: for app-process.test.ts. */
import { runApp } from '../../src/app-process.ts'

const how = process.env['STOPS']
setInterval(() => undefined, 1000) // as a server would keep it

await runApp({
  name: 'ingest',
  help: '',
  configure: () => undefined,
  start: async () => {
    const mistake = (): never => {
      throw new Error('a bug')
    }
    if (how === 'breaks') setTimeout(mistake, 50)
    return {
      name: 'ingest',
      ops: 'http://127.0.0.1:1',
      failed: new Promise(() => undefined),
      close: async () => {
        if (how === 'hangs') await new Promise((resolve) => setTimeout(resolve, 60_000))
        if (how === 'fails') throw Object.assign(new Error('the disk is full'), { code: 'ENOSPC' })
      },
      report: () => 'everything was put away',
    }
  },
})
