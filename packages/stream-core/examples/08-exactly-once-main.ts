/**
 * Runs the example on the embedded log: `node packages/stream-core/examples/08-exactly-once-main.ts <folder>`. Stop it with
 * Ctrl-C, or kill it in any way: started again, it goes on, and the balances are what they should be.
 */
import { Streams } from 'stream-core'
import { openEmbeddedLog } from 'stream-core/embedded'
import { topology } from './08-exactly-once.ts'

const [folder = 'data'] = process.argv.slice(2)
const broker = await openEmbeddedLog({ path: `${folder}/log.db` })
await broker.admin.createTopics([
  { topic: 'transfers', partitions: 2 },
  { topic: 'balances', partitions: 2, configs: { 'cleanup.policy': 'compact' } },
])
const streams = new Streams({ topology: topology(), applicationId: 'ledger', broker, stateDir: `${folder}/state` })
await streams.start()
console.log('running')

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void streams.close())
const failure = await streams.stopped
await broker.close()
if (failure !== null) throw failure
