import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readEnvironment, type Variables } from '@voting/election/environment'
import { silentLogger } from 'stream-core'
import { expect, test } from 'vitest'
import { ingestVariables } from '../../ingest/src/config.ts'
import { tallyVariables } from '../../tally/src/config.ts'
import { viewerVariables } from '../../viewer/src/config.ts'
import { demoVariables, parseOptions } from '../src/options.ts'
import { startSystem } from '../src/system.ts'

/** A port of this machine on which nobody listens. */
async function deafPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

test('a start that waits for Kafka ends when nobody wants to wait any longer', { timeout: 15_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'start-test-'))
  const environment = readEnvironment(demoVariables, { KAFKA_BROKERS: `127.0.0.1:${await deafPort()}` })
  const options = parseOptions(['--data-dir', folder, '--ingest-port', '0', '--viewer-port', '0'])!
  const starting = new AbortController()
  const system = startSystem({ options, environment, openLogger: () => silentLogger, signal: starting.signal })
  setImmediate(() => starting.abort(new Error('SIGINT')))
  await expect(system).rejects.toThrow('SIGINT')
  rmSync(folder, { recursive: true })
})

test.each(['', ' '])('a data folder without a name (%j) is refused', (folder) => {
  expect(() => parseOptions(['--data-dir', folder])).toThrow('--data-dir is empty')
})

const apps: readonly (readonly [name: string, variables: Variables])[] = [
  ['ingest', ingestVariables],
  ['tally', tallyVariables],
  ['viewer', viewerVariables],
  ['npm start', demoVariables],
]
const wrong = {
  LOG_LEVEL: 'loud',
  DATABASE_URL: 'mysql://x/y',
  PUBLIC_URL: 'javascript:alert(1)',
  RESULTS_URL: 'javascript:alert(1)',
  BALLOT_URL: 'javascript:alert(1)',
  APPLICATION_ID: 'a b/c',
}

test.each(apps)('%s refuses what it could not use, all of it at once', (_name, variables) => {
  const read = (): unknown => readEnvironment(variables, { KAFKA_BROKERS: 'x:1', ...wrong })
  for (const name of Object.keys(wrong)) if (name in variables) expect(read).toThrow(`${name} is `)
})
