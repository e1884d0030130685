import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LocalKafka, runJava, startLocalKafka } from '../../../../scripts/local-kafka.ts'
import type { Broker } from '../../src/index.ts'
import { kafkaBroker } from '../../src/kafka.ts'
import { readAll } from '../support/log-records.ts'

/** What Kafka's own tools write is read here, and what is written here is read by them, in every compression. */
let kafka: LocalKafka
let broker: Broker

beforeAll(async () => {
  kafka = await startLocalKafka()
  broker = kafkaBroker({ bootstrapServers: kafka.bootstrapServers })
})
afterAll(async () => {
  await broker.close()
  await kafka.stop()
})

async function runTool(name: string, given: readonly string[], input = ''): Promise<string> {
  const child = runJava(`org.apache.kafka.tools.${name}`, ...given)
  let [output, errors] = ['', '']
  child.stdout!.setEncoding('utf8').on('data', (chunk) => (output += String(chunk)))
  child.stderr!.setEncoding('utf8').on('data', (chunk) => (errors += String(chunk)))
  child.stdin!.end(input)
  const code = await new Promise((resolve) => child.on('close', resolve))
  if (code !== 0) throw new Error(`${name} ended with ${String(code)}:\n${output}\n${errors}`)
  return output
}

/** A pseudo-random text that no format makes much shorter. */
function noise(length: number): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/'
  let [state, text] = [12_345, '']
  while (text.length < length) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    text += alphabet[(state >>> 16) & 63]
  }
  return text
}

/** Small and large, repetitive and not, empty, and beyond ASCII: batches of one block and of many. */
const records: readonly (readonly [string, string])[] = [
  ...Array.from({ length: 3000 }, (_, i) => [`key-${i}`, `value ${i} of many that are alike`] as const),
  ['', ''],
  ['größe', '日本語 🎉'],
  ['noise', noise(300_000)],
  ['same', 'x'.repeat(300_000)],
  ['last', 'value'],
]

const options = (given: { readonly [name: string]: string }): string[] =>
  Object.entries(given).flatMap(([name, value]) => [`--${name}`, value])
const where = (): string[] => options({ 'bootstrap-server': kafka.bootstrapServers })

test.each(['gzip', 'snappy', 'lz4', 'zstd'])('what Java writes in %s is read', async (codec) => {
  const [console, performance] = [`console-${codec}`, `performance-${codec}`]
  await broker.admin.createTopics([console, performance].map((topic) => ({ topic, partitions: 1 })))
  const lines = records.map(([key, value]) => `${key}|${value}\n`).join('')
  await runTool(
    'ConsoleProducer',
    [
      ...where(),
      ...options({ topic: console, 'compression-codec': codec, 'batch-size': '500000' }),
      ...options({ 'reader-property': 'parse.key=true' }),
      ...options({ 'reader-property': 'key.separator=|' }),
    ],
    lines,
  )
  const text = (latin1: string | null): string => Buffer.from(latin1!, 'latin1').toString()
  const seen = (await readAll(broker, console)).map(({ key, value }) => [key, text(value)])
  expect(seen).toEqual(records)
  const count = 20_000
  const command = ['--topic', performance, '--num-records', String(count), '--record-size', '512', '--throughput', '-1']
  const settings = [`bootstrap.servers=${kafka.bootstrapServers}`, `compression.type=${codec}`, 'batch.size=200000']
  const output = await runTool('ProducerPerformance', [...command, '--command-property', ...settings])
  expect(output).toContain(`${count} records sent`)
  const written = await readAll(broker, performance)
  expect(written).toHaveLength(count)
  // Its records are random capital letters.
  expect(written.every(({ value }) => /^[A-Z]{512}$/.test(value!))).toBe(true)
})

test.each(['none', 'lz4', 'zstd'] as const)('what is written here in %s is read by Java', async (compression) => {
  const topic = `ours-${compression}`
  await broker.admin.createTopics([{ topic, partitions: 1 }])
  const producer = await broker.openProducer({ compression })
  for (const [key, value] of records) producer.append(topic, 0, Buffer.from(key), Buffer.from(value), Date.now())
  await producer.flush()
  await producer.close()
  const output = await runTool('consumer.ConsoleConsumer', [
    ...where(),
    '--from-beginning',
    ...options({ topic, 'max-messages': String(records.length) }),
    ...options({ 'formatter-property': 'print.key=true' }),
    ...options({ 'formatter-property': 'key.separator=|' }),
  ])
  expect(output.split('\n').slice(0, -1)).toEqual(records.map(([key, value]) => `${key}|${value}`))
  const log = join(dirname(kafka.clientProperties), 'node-1', 'data', `${topic}-0`, '00000000000000000000.log')
  const dump = await runTool('DumpLogSegments', ['--files', log])
  const codecs = [...dump.matchAll(/compresscodec: (\w+)/g)].map((found) => found[1])
  expect(new Set(codecs)).toEqual(new Set([compression]))
  expect(dump).not.toContain('isvalid: false')
})

test('what a broker compresses anew is read', async () => {
  for (const codec of ['gzip', 'snappy', 'lz4', 'zstd', 'uncompressed']) {
    const topic = `anew-${codec}`
    await broker.admin.createTopics([{ topic, partitions: 1, configs: { 'compression.type': codec } }])
    const producer = await broker.openProducer({ compression: codec === 'zstd' ? 'lz4' : 'zstd' })
    for (const [key, value] of records) producer.append(topic, 0, Buffer.from(key), Buffer.from(value), Date.now())
    await producer.flush()
    await producer.close()
    const seen = await readAll(broker, topic)
    expect(seen.map(({ key, value }) => [key, Buffer.from(value!, 'latin1').toString()])).toEqual(records)
  }
})
