// A loop as one writes it by hand on @platformatic/kafka: no state that outlives it, no exactly-once. The floor.
import {
  compatibilityPartitioner,
  Consumer,
  MessagesStreamFallbackModes,
  MessagesStreamModes,
  Producer,
  stringDeserializers,
  stringSerializers,
} from '@platformatic/kafka'

const job = JSON.parse(process.env.BENCH_JOB)
const mark = (name) => process.stdout.write(`@${name} {}\n`)
const batchSize = 1000
const inFlightMax = 4
const windowMs = 10_000
// With the default of 50 MB a fetch is parsed whole, and nothing else happens for seconds.
const maxBytes = 1_000_000

const limit = setTimeout(() => process.exit(1), job.limitMs)
const half = Math.floor(job.ticks / 2)
const all = Promise.withResolvers()
let ticks = 0
function tick() {
  ticks++
  if (ticks === 1) mark('first')
  if (ticks === half) mark('half')
  if (ticks !== job.ticks) return
  mark('all')
  all.resolve()
}

const counts = new Map()
const count = (key) => counts.set(key, (counts.get(key) ?? 0) + 1)
const closing = []

async function consume(topic, onMessage) {
  const groupId = `${job.applicationId}-${topic}`
  const options = { groupId, clientId: groupId, bootstrapBrokers: [job.bootstrapServers], maxBytes }
  const consumer = new Consumer({ ...options, deserializers: stringDeserializers, maxWaitTime: 500 })
  const { COMMITTED } = MessagesStreamModes
  const { EARLIEST } = MessagesStreamFallbackModes
  const stream = await consumer.consume({ topics: [topic], mode: COMMITTED, fallbackMode: EARLIEST, autocommit: 1000 })
  stream.on('error', fail)
  stream.on('data', (message) => onMessage(message, stream))
  closing.push(() => consumer.close(true))
}

function fail(error) {
  console.error(error)
  process.exit(1)
}

function newProducer() {
  const producer = new Producer({
    clientId: `${job.applicationId}-producer`,
    bootstrapBrokers: [job.bootstrapServers],
    serializers: stringSerializers,
    partitioner: compatibilityPartitioner,
  })
  closing.push(() => producer.close())
  return producer
}

/** Collects messages and sends a thousand at a time; the stream stands still while four batches are on their way. */
function batching(topic) {
  const producer = newProducer()
  let messages = []
  let inFlight = 0
  let stream = null
  const flush = () => {
    if (messages.length === 0) return
    const batch = messages
    messages = []
    inFlight++
    if (inFlight >= inFlightMax) stream?.pause()
    producer.send({ messages: batch }).then(() => {
      inFlight--
      if (inFlight < inFlightMax && stream?.isPaused()) stream.resume()
    }, fail)
  }
  const timer = setInterval(flush, 20)
  closing.push(() => clearInterval(timer))
  return (key, value, from) => {
    stream = from
    messages.push({ topic, key, value })
    if (messages.length >= batchSize) flush()
  }
}

const windowed = (key, { ts }) => `${key}@${ts - (ts % windowMs)}`

switch (job.workload) {
  case 'vote-count':
    await consume(job.input, ({ key, value }) => {
      count(windowed(key, JSON.parse(value)))
      tick()
    })
    break
  case 'vote-count-repartition': {
    const send = batching(job.repartition)
    await consume(job.repartition, ({ key, value }) => {
      count(windowed(key, JSON.parse(value)))
      tick()
    })
    await consume(job.input, ({ value }, stream) => {
      const vote = JSON.parse(value)
      send(`${vote.poll}|${vote.option}`, JSON.stringify(vote), stream)
    })
    break
  }
  case 'word-count': {
    const send = batching(job.repartition)
    await consume(job.repartition, ({ key }) => {
      count(key)
      tick()
    })
    await consume(job.input, ({ value }, stream) => {
      for (const word of value.split(' ')) send(word, word, stream)
    })
    break
  }
  default:
    throw new Error(`no such workload: ${job.workload}`)
}
await all.promise
const output = newProducer()
let messages = []
for (const [key, value] of counts) {
  messages.push({ topic: job.output, key, value: String(value) })
  if (messages.length === batchSize) {
    await output.send({ messages })
    messages = []
  }
}
if (messages.length > 0) await output.send({ messages })
await Promise.race([Promise.allSettled(closing.map((close) => close())), new Promise((r) => setTimeout(r, 8000))])
mark('closed')
clearTimeout(limit)
process.exit(0)
