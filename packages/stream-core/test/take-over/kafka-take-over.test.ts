import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LocalKafka, runJava, startLocalKafka } from '../../../../scripts/local-kafka.ts'
import { type Broker, partitionForKey, Streams } from '../../src/index.ts'
import { kafkaBroker } from '../../src/kafka.ts'
import { eventually, readAll } from '../support/log-records.ts'
import { takeOverTopology } from './take-over-topology.ts'

const partitions = 3
const words = Array.from({ length: 40 }, (_, i) => `word-${i}`)
/** An hour ago: half a minute after its start a broker deletes what is older than a week, and says nothing. */
const firstMs = Math.floor((Date.now() - 3_600_000) / 10_000) * 10_000

let kafka: LocalKafka
let broker: Broker
let folder: string
const ends: (() => Promise<void> | void)[] = []

beforeAll(async () => {
  kafka = await startLocalKafka()
  broker = kafkaBroker({ bootstrapServers: kafka.bootstrapServers })
  folder = mkdtempSync(join(tmpdir(), 'take-over-'))
})
afterAll(async () => {
  for (const end of ends) await end()
  await broker?.close()
  await kafka?.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** The application in Java; `stop` ends it and leaves the group. */
async function startJava(app: string): Promise<{ topology: string; stop(): Promise<void>; kill(): Promise<void> }> {
  const child = runJava(join(import.meta.dirname, 'TakeOver.java'), kafka.bootstrapServers, app, join(folder, 'java'))
  ends.push(() => void child.kill('SIGKILL'))
  let output = ''
  child.stdout!.on('data', (chunk) => (output += String(chunk)))
  child.stderr!.on('data', (chunk) => (output += String(chunk)))
  const exited = new Promise<void>((resolve) => child.on('exit', () => resolve()))
  await eventually(
    `the application in Java:\n${output}`,
    () => {
      if (child.exitCode !== null) throw new Error(output)
      return output.includes('STATE RUNNING')
    },
    60_000,
  )
  return {
    topology: /TOPOLOGY (.*)/.exec(output)![1]!.replaceAll('\\n', '\n'),
    async stop() {
      child.stdin!.end()
      await exited
      expect(output).toContain('CLOSED')
    },
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}

async function startOurs(app: string): Promise<Streams> {
  const streams = new Streams({
    topology: takeOverTopology(app),
    applicationId: app,
    broker,
    stateDir: join(folder, 'ours'),
    commitIntervalMs: 50,
    sessionTimeoutMs: 6000,
    heartbeatIntervalMs: 500,
  })
  ends.push(async () => void (await streams.close()))
  await streams.start()
  return streams
}

async function prepare(app: string): Promise<void> {
  await broker.admin.createTopics(
    ['lines', 'left', 'right', 'counts', 'windows', 'joined'].map((name) => ({ topic: `${app}-${name}`, partitions })),
  )
}

let written = 0
const leftOf = new Map<string, string>()
const rightOf = new Map<string, string>()

/** Words, a hundredth of a second apart, and updates of both tables. */
async function write(app: string, count: number): Promise<void> {
  const producer = await broker.openProducer()
  for (let i = 0; i < count; i++, written++) {
    const word = words[(written * 7) % words.length]!
    const key = Buffer.from(`line-${written}`)
    const timeMs = firstMs + written * 10
    producer.append(`${app}-lines`, partitionForKey(key, partitions), key, Buffer.from(word), timeMs)
    if (written % 5 > 0) continue
    const [table, last] = written % 2 === 0 ? (['left', leftOf] as const) : (['right', rightOf] as const)
    const at = Buffer.from(word)
    last.set(word, String(written))
    producer.append(`${app}-${table}`, partitionForKey(at, partitions), at, Buffer.from(String(written)), timeMs)
  }
  await producer.flush()
  await producer.close()
}

async function processed(app: string): Promise<number> {
  const lines = Array.from({ length: partitions }, (_, partition) => ({ topic: `${app}-lines`, partition }))
  const committed = await broker.admin.committedOffsets(app, lines, { requireStable: false })
  return committed.reduce((sum, { offset }) => sum + Math.max(0, offset), 0)
}

async function untilDone(app: string): Promise<void> {
  await eventually(
    'everything is processed',
    async () => {
      for (const name of ['lines', 'left', 'right', 'by-word-repartition']) {
        const topic = `${app}-${name}`
        const inputs = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
        const ends = await broker.admin.listOffsets(inputs, 'latest')
        const committed = await broker.admin.committedOffsets(app, inputs, { requireStable: true })
        if (committed.some(({ offset }, i) => Math.max(0, offset) < ends[i]!)) return false
      }
      return true
    },
    60_000,
  )
}

/** By key, every value there ever was. */
async function valuesOf(topic: string, decode: (value: string) => unknown): Promise<Map<string, unknown[]>> {
  const values = new Map<string, unknown[]>()
  for (const { key, value } of await readAll(broker, topic)) {
    values.set(key!, [...(values.get(key!) ?? []), value === null ? null : decode(value)])
  }
  return values
}
const number = (text: string): number => Number(Buffer.from(text, 'latin1').readBigInt64BE())

async function checkAll(app: string): Promise<void> {
  const expected = new Map<string, number>()
  const perWindow = new Map<string, number>()
  for (let i = 0; i < written; i++) {
    const word = words[(i * 7) % words.length]!
    expected.set(word, (expected.get(word) ?? 0) + 1)
    const window = `${word}@${Math.floor((firstMs + i * 10) / 10_000) * 10_000}`
    perWindow.set(window, (perWindow.get(window) ?? 0) + 1)
  }
  for (const [topic, wanted] of [
    ['counts', expected],
    ['windows', perWindow],
  ] as const) {
    const seen = await valuesOf(`${app}-${topic}`, number)
    expect(new Map([...seen].map(([key, values]) => [key, values.at(-1)])), topic).toEqual(wanted)
    // At no moment was a record counted twice, or forgotten: counts only grow.
    for (const values of seen.values()) expect(values).toEqual([...new Set(values as number[])].sort((a, b) => a - b))
  }
  const joined = await valuesOf(`${app}-joined`, String)
  const pairs = new Map(
    [...leftOf].flatMap(([key, left]) => (rightOf.has(key) ? [[key, `${left}+${rightOf.get(key)!}`]] : [])),
  )
  expect(new Map([...joined].map(([key, values]) => [key, values.at(-1)]))).toEqual(pairs)
}

test('an application goes from Java to TypeScript and back, half-way each time, and every record counts once', async () => {
  const app = `take-over-${process.pid}`
  await prepare(app)
  await write(app, 1000)
  const java = await startJava(app)
  expect(takeOverTopology(app).describe()).toBe(java.topology)
  await eventually('Java has processed some', async () => (await processed(app)) >= 1000, 30_000)
  // It is stopped while it works.
  const writing = write(app, 3000)
  await eventually('some more', async () => (await processed(app)) > 1000, 30_000)
  await java.stop()
  await writing

  const ours = await startOurs(app)
  await eventually('ours has gone on', async () => (await processed(app)) > 2000, 30_000)
  await write(app, 1000)
  await untilDone(app)
  await checkAll(app)
  const more = write(app, 2000)
  await eventually('some more', async () => (await processed(app)) > 5000, 30_000)
  await ours.close()
  await more

  const again = await startJava(app)
  await write(app, 500)
  await untilDone(app)
  await again.stop()
  await checkAll(app)

  // And once more, from a process that could not say good-bye: its session is waited for, its transaction ended.
  const killed = await startJava(app)
  await write(app, 500)
  await killed.kill()
  const last = await startOurs(app)
  await write(app, 500)
  await untilDone(app)
  await last.close()
  await checkAll(app)
})

/** One of Kafka's command-line tools; what it printed. */
async function tool(className: string, ...options: string[]): Promise<string> {
  const child = runJava(`org.apache.kafka.tools.${className}`, '--bootstrap-server', kafka.bootstrapServers, ...options)
  let output = ''
  child.stdout!.on('data', (chunk) => (output += String(chunk)))
  child.stderr!.on('data', (chunk) => (output += String(chunk)))
  const code = await new Promise((resolve) => child.on('exit', resolve))
  expect(code, output).toBe(0)
  return output
}

test('Kafka’s own tools describe the group, read the results, and reset the application', async () => {
  const app = `tools-${process.pid}`
  written = 0
  leftOf.clear()
  rightOf.clear()
  await prepare(app)
  await write(app, 500)
  const ours = await startOurs(app)
  await untilDone(app)

  const described = await tool('consumer.group.ConsumerGroupCommand', '--describe', '--group', app)
  const rows = described.split('\n').filter((line) => line.startsWith(app))
  expect(rows.map((line) => line.split(/\s+/)[1]!).sort()).toEqual(
    ['by-word-repartition', 'left', 'lines', 'right'].flatMap((name) => [0, 1, 2].map(() => `${app}-${name}`)).sort(),
  )
  // GROUP, TOPIC, PARTITION, CURRENT-OFFSET, LOG-END-OFFSET, LAG, CONSUMER-ID: there is a member, and it has read all.
  for (const row of rows) expect(row.split(/\s+/).slice(5, 7)).toEqual(['0', expect.stringMatching(/[0-9a-f-]{36}/)])
  const state = await tool('consumer.group.ConsumerGroupCommand', '--describe', '--state', '--group', app)
  expect(state).toMatch(/stream-core +Stable +1/)

  const printed = await tool(
    'consumer.ConsoleConsumer',
    '--topic',
    `${app}-counts`,
    '--from-beginning',
    '--timeout-ms',
    '5000',
    '--isolation-level',
    'read_committed',
    '--formatter-property',
    'print.key=true',
    '--formatter-property',
    'value.deserializer=org.apache.kafka.common.serialization.LongDeserializer',
  )
  const last = new Map(
    printed
      .split('\n')
      .filter((line) => line.startsWith('word-'))
      .map((line) => line.split('\t') as [string, string]),
  )
  const inOurs = await valuesOf(`${app}-counts`, number)
  expect(new Map([...last].map(([key, value]) => [key, Number(value)]))).toEqual(
    new Map([...inOurs].map(([key, values]) => [key, values.at(-1)])),
  )
  await ours.close()

  await tool(
    'StreamsResetter',
    '--application-id',
    app,
    '--input-topics',
    ['lines', 'left', 'right'].map((name) => `${app}-${name}`).join(),
    '--force',
  )
  const internal = (await broker.admin.listTopics()).filter(
    (name) => /-(changelog|repartition)$/.test(name) && name.startsWith(app),
  )
  expect(internal).toEqual([])
  // All is counted again, from the beginning; state on disk belongs to changelogs that are gone, and is not used.
  const again = await startOurs(app)
  await untilDone(app)
  await again.close()
  const counts = await valuesOf(`${app}-counts`, number)
  for (const [word, values] of counts) {
    const count = words.indexOf(word) < 0 ? 0 : (values.at(-1) as number)
    expect(
      values.filter((value) => value === count),
      word,
    ).toHaveLength(2)
  }
})
