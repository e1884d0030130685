/**
 * The whole system in one process on the embedded log, as `npm start` runs it, but with so many tallies as `TALLIES` says and
 * with nothing in it. Prints one line when it is ready.
 */
import { join } from 'node:path'
import { startEmbeddedPostgres } from '../../apps/demo/src/postgres.ts'
import { startIngest } from '../../apps/ingest/src/service.ts'
import { startTally } from '../../apps/tally/src/service.ts'
import { startViewer } from '../../apps/viewer/src/service.ts'
import { Closers } from '../../packages/election/src/closers.ts'
import { openLogger } from '../../packages/election/src/logger.ts'
import { openEmbeddedLog } from '../../packages/stream-core/src/embedded.ts'

const { DATA_DIR: dataDir = '', TALLIES = '1', TICK_MS = '', ORGANISER_TOKEN: organiserToken = '' } = process.env
const closers = new Closers()
const logger = openLogger('bench', 'warn')
const broker = await openEmbeddedLog({ path: join(dataDir, 'log', 'log.db') })
closers.add(() => broker.close())
const postgres = await startEmbeddedPostgres({ dataDir: join(dataDir, 'postgres'), logger })
closers.add(postgres.stop)
const host = '127.0.0.1'
const shared = { databaseUrl: postgres.url, opsHost: host, opsPort: 0, logger }
const onLog = { ...shared, broker, ballotPartitions: 4 }
const ingest = await startIngest({
  ...onLog,
  host,
  port: 0,
  organiserToken,
  publicUrl: null,
  resultsUrl: () => '',
  failuresPerMinute: 120,
  isProduction: false,
})
closers.add(() => ingest.close())
const tallies: string[] = []
for (let i = 0; i < Number(TALLIES); i++) {
  const stateDir = join(dataDir, `state-${i}`)
  const tally = await startTally({ ...onLog, applicationId: 'tally', stateDir, opsEndpoint: null, showsValues: false })
  closers.add(() => tally.close())
  tallies.push(tally.ops)
}
const viewer = await startViewer({
  ...shared,
  host,
  port: 0,
  ballotUrl: null,
  tickMs: Number(TICK_MS) || 100,
  connectionsMax: 20_000,
  allowedOrigins: [],
})
closers.add(() => viewer.close())
process.stdout.write(
  `${JSON.stringify({ ingest: ingest.url, viewer: viewer.url, ops: { ingest: ingest.ops, tallies, viewer: viewer.ops } })}\n`,
)
process.once('SIGTERM', () => void closers.close().then(() => process.exit()))
