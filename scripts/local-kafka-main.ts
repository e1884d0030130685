/** A Kafka broker on this machine, for trying things out: `npm run kafka`. Ctrl-C ends it and removes its data. */
import { kafkaAvailable, startLocalKafka } from './local-kafka.ts'

if (process.argv.includes('--help')) {
  process.stdout.write('npm run kafka     starts Apache Kafka on a free port of this machine; Ctrl-C ends it\n')
  process.exit(0)
}
const missing = kafkaAvailable()
if (missing !== null) {
  process.stderr.write(`error: ${missing}\n`)
  process.exit(1)
}
const kafka = await startLocalKafka({ log: (text) => process.stderr.write(`${text}\n`) })
process.stdout.write(`${kafka.bootstrapServers}\n`)
process.stderr.write(`Kafka is ready. For example: KAFKA_BROKERS=${kafka.bootstrapServers} npm start\n`)
let isStopping = false
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (isStopping) return
    isStopping = true
    void kafka.stop().then(() => process.exit(0))
  })
}
