/** Apache Kafka on this machine, for trying things out: `npm run kafka`. Ctrl-C ends it and removes its data. */
import { parseArgs } from 'node:util'
import { kafkaAvailable, type SaslMechanism, saslMechanisms, startLocalKafka } from './local-kafka.ts'

const help = `npm run kafka [-- options]     starts Apache Kafka on free ports of this machine; Ctrl-C ends it

  --brokers 3          a cluster of three, or of another number; default 1
  --tls                clients have to use TLS
  --mutual-tls         and to show a certificate
  --sasl MECHANISM     clients have to authenticate: ${saslMechanisms.join(', ')}; may be given several times
  --user NAME:PASSWORD who may; may be given several times; default alice:alice-secret
`

const fail = (message: string): never => {
  process.stderr.write(`error: ${message}\n`)
  process.exit(1)
}

const { values } = ((): ReturnType<typeof parse> => {
  try {
    return parse()
  } catch (error) {
    return fail(`${(error as Error).message}\n\n${help}`)
  }
})()

function parse() {
  return parseArgs({
    options: {
      help: { type: 'boolean', default: false },
      brokers: { type: 'string', default: '1' },
      tls: { type: 'boolean', default: false },
      'mutual-tls': { type: 'boolean', default: false },
      sasl: { type: 'string', multiple: true, default: [] },
      user: { type: 'string', multiple: true, default: ['alice:alice-secret'] },
    },
  })
}

if (values.help) {
  process.stdout.write(help)
  process.exit(0)
}
const brokers = Number(values.brokers)
if (!Number.isInteger(brokers) || brokers < 1) fail(`--brokers ${values.brokers}: expected a number of brokers`)
const unknown = values.sasl.find((mechanism) => !saslMechanisms.includes(mechanism as SaslMechanism))
if (unknown !== undefined) fail(`--sasl ${unknown}: expected one of ${saslMechanisms.join(', ')}`)
const users = Object.fromEntries(
  values.user.map((text) => {
    const colon = text.indexOf(':')
    if (colon < 1) fail(`--user ${text}: expected NAME:PASSWORD`)
    return [text.slice(0, colon), text.slice(colon + 1)]
  }),
)
const missing = kafkaAvailable()
if (missing !== null) fail(missing)

const kafka = await startLocalKafka({
  brokers,
  tls: values['mutual-tls'] ? 'mutual' : values.tls,
  sasl: values.sasl as SaslMechanism[],
  users,
  log: (text) => process.stderr.write(`${text}\n`),
})
process.stdout.write(`${kafka.bootstrapServers}\n`)
if (kafka.tls === null && values.sasl.length === 0) {
  process.stderr.write(`Kafka is ready. For example: KAFKA_BROKERS=${kafka.bootstrapServers} npm start\n`)
} else {
  process.stderr.write(`Kafka is ready. Kafka's own tools get in with --command-config ${kafka.clientProperties}\n`)
}
if (kafka.tlsFolder !== null)
  process.stderr.write(`Certificates (what clients have to trust: broker.pem): ${kafka.tlsFolder}\n`)
let isStopping = false
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (isStopping) return
    isStopping = true
    void kafka.stop().then(() => process.exit(0))
  })
}
