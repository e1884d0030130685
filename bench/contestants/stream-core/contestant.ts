import { join } from 'node:path'
import { asPublished, providePublished } from '../../harness/as-published.ts'
import type { Contestant } from '../../harness/contestant.ts'

export const streamCore: Contestant = {
  name: 'stream-core',
  settings: (workload) => (workload === 'new-keys' ? 'cache 0' : ''),
  refuses: () => null,
  provide() {
    providePublished()
    return Promise.resolve(`node ${process.versions.node}`)
  },
  command: () => ({ program: process.execPath, arguments: asPublished(join(import.meta.dirname, 'main.ts')) }),
}
