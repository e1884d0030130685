/**
 * One instance of the chaos application: `node instance-program.ts <bootstrap> <prefix> <state folder>`. Says what happens
 * as JSON lines on standard output; ends with SIGTERM, exit code 1 when it has failed.
 */
import { kafkaBroker } from '../../src/kafka.ts'
import { type Logger, Streams } from '../../src/index.ts'
import { chaosTopology } from './chaos-topology.ts'

const [bootstrap, prefix, stateDir] = process.argv.slice(2) as [string, string, string]
const say = (level: string, fields: object, text = ''): void =>
  void process.stdout.write(`${JSON.stringify({ atMs: Date.now(), level, text, ...fields })}\n`)
const logger: Logger = {
  debug: () => undefined,
  info: (fields, text) => say('info', fields, text),
  warn: (fields, text) => say('warn', fields, text),
  error: (fields, text) => say('error', fields, text),
}
const broker = kafkaBroker({ bootstrapServers: bootstrap, clientId: 'chaos', logger })
// For tests of what is left behind: dies in its n-th transaction that has something for the topic that tests read, when
// all of it is written and nothing committed. One with other records only would hold up none of those who read that topic.
const killIn = Number(process.env['KILL_IN_TRANSACTION'] ?? 0)
if (killIn > 0) {
  let transactions = 0
  const openProducer = broker.openProducer.bind(broker)
  broker.openProducer = async (options) => {
    const producer = await openProducer(options)
    let isEchoed = false
    const append = producer.append.bind(producer)
    producer.append = (topic, ...rest) => {
      isEchoed ||= topic === `${prefix}-echo`
      return append(topic, ...rest)
    }
    const commit = producer.commit.bind(producer)
    producer.commit = async () => {
      await producer.flush()
      if (isEchoed && ++transactions === killIn) process.kill(process.pid, 'SIGKILL')
      isEchoed = false
      await commit()
    }
    return producer
  }
}
const streams = new Streams({
  topology: chaosTopology(prefix),
  applicationId: prefix,
  broker,
  stateDir,
  commitIntervalMs: 50,
  persistIntervalMs: 1000,
  standbyReplicas: 1,
  acceptableRecoveryLag: 100,
  sessionTimeoutMs: Number(process.env['SESSION_TIMEOUT_MS'] ?? 6000),
  heartbeatIntervalMs: 500,
  logger,
  onStateChange: (state) => say('state', { state }),
})
process.once('SIGTERM', () => void streams.close())
process.on('unhandledRejection', (error) => {
  say('error', { error: (error as Error)?.stack ?? String(error) }, 'unhandled rejection')
  process.exit(1)
})
await streams.start().catch(() => undefined)
const failure = await streams.stopped
await broker.close()
if (failure !== null) {
  say('error', { error: failure.stack }, 'failed')
  process.exitCode = 1
}
