import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LocalKafka, startLocalKafka } from '../../../../scripts/local-kafka.ts'
import { type Broker, int64, Streams, StreamsBuilder, string } from '../../src/index.ts'
import { kafkaBroker } from '../../src/kafka.ts'
import { runCli } from '../cli/run-cli.ts'
import { eventually, readAll } from '../support/log-records.ts'

const partitions = 4
const words = Array.from({ length: 20 }, (_, i) => `word-${i}`)
const patienceMs = 60_000

let folder: string
let kafka: LocalKafka
let broker: Broker
const running = new Set<Streams>()
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kafka-upgrades-test-'))
  kafka = await startLocalKafka()
  broker = kafkaBroker({ bootstrapServers: kafka.bootstrapServers })
  await broker.admin.createTopics(
    ['rolling-in', 'rolling-out', 'in', 'blue', 'green'].map((topic) => ({ topic, partitions })),
  )
})
afterAll(async () => {
  await Promise.all([...running].map((streams) => streams.close()))
  await broker.close()
  await kafka.stop()
  rmSync(folder, { recursive: true })
})

interface Version {
  readonly id: string
  readonly input: string
  readonly output: string
  /** What the next version does besides. */
  readonly isNext?: boolean
  readonly stateDir: string
}

/** Counts words by their last digit, behind a repartition topic. */
async function start({ id, input, output, isNext = false, stateDir }: Version): Promise<Streams> {
  const builder = new StreamsBuilder()
  const all = builder.stream(input, { key: string(), value: string(), name: 'words' })
  const chosen = isNext ? all.filter(() => true, { name: 'everything' }) : all
  chosen
    .groupBy((word) => word.at(-1)!, { name: 'by-digit', key: string() })
    .count({ name: 'count', store: { name: 'counts' } })
    .toStream({ name: 'changes' })
    .to(output, { name: 'counts', value: int64() })
  const streams = new Streams({
    topology: builder.build(),
    applicationId: id,
    broker,
    stateDir: join(folder, stateDir),
    commitIntervalMs: 20,
  })
  running.add(streams)
  await streams.start()
  return streams
}

async function stop(streams: Streams): Promise<void> {
  await streams.close()
  running.delete(streams)
}

/** Each word so many times. */
async function write(topic: string, times: number): Promise<void> {
  const producer = await broker.openProducer()
  for (let i = 0; i < times; i++) {
    for (const [n, word] of words.entries()) {
      producer.append(topic, n % partitions, Buffer.from(word), Buffer.from('v'), 1000)
    }
  }
  await producer.flush()
  await producer.close()
}

/** The last count of each digit, and every count there was, in order. */
async function counts(topic: string): Promise<{ last: Record<string, number>; goesUpByOne: boolean }> {
  const last: Record<string, number> = {}
  let goesUpByOne = true
  for (const { key, value } of await readAll(broker, topic)) {
    const count = Number(Buffer.from(value!, 'latin1').readBigInt64BE())
    if (count <= (last[key!] ?? 0)) goesUpByOne = false
    last[key!] = count
  }
  return { last, goesUpByOne }
}

/** There are two words to a digit. */
const each = (times: number): Record<string, number> =>
  Object.fromEntries(Array.from({ length: 10 }, (_, digit) => [String(digit), 2 * times]))

const eventuallyCounts = (topic: string, times: number): Promise<void> =>
  eventually(
    `${topic} has each word ${times} times`,
    async () => {
      const { last } = await counts(topic)
      return Object.entries(each(times)).every(([digit, count]) => last[digit] === count)
    },
    patienceMs,
  )

test('instances that are replaced one by one on the folders they had go on where they were, while words come in', async () => {
  const application = { id: 'rolling', input: 'rolling-in', output: 'rolling-out' }
  const version1 = await Promise.all(['one', 'two'].map((stateDir) => start({ ...application, stateDir })))
  let written = 0
  let isWriting = true
  const writing = (async () => {
    while (isWriting) {
      await write(application.input, 5)
      written += 5
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  })()
  const version2: Streams[] = []
  for (const [i, stateDir] of ['one', 'two'].entries()) {
    // Each has counted something, and words come meanwhile.
    const before = written
    await eventually(
      'words are counted',
      async () => written > before && Object.keys((await counts(application.output)).last).length === 10,
      patienceMs,
    )
    await stop(version1[i]!)
    version2.push(await start({ ...application, stateDir, isNext: true }))
  }
  isWriting = false
  await writing
  await eventuallyCounts(application.output, written)
  const found = await counts(application.output)
  expect(found.last).toEqual(each(written))
  // No count was given twice or taken back: nobody counted what another had counted.
  expect(found.goesUpByOne).toBe(true)
  expect(version2.map(({ state }) => state)).toEqual(['running', 'running'])
  await Promise.all(version2.map(stop))
})

test('a second application beside the first counts from the beginning; when it has caught up the first goes, and leaves nothing', async () => {
  const at = ['--bootstrap-servers', kafka.bootstrapServers]
  await write('in', 10)
  const blue = await start({ id: 'blue-app', input: 'in', output: 'blue', stateDir: 'blue' })
  await eventuallyCounts('blue', 10)
  const green = await start({ id: 'green-app', input: 'in', output: 'green', stateDir: 'green', isNext: true })
  await write('in', 5)
  await Promise.all([eventuallyCounts('blue', 15), eventuallyCounts('green', 15)])
  expect((await counts('green')).last).toEqual((await counts('blue')).last)
  const told = await runCli('lag', '--application-id', 'green-app', '--json', ...at)
  const { members, partitions: rows } = JSON.parse(told.out) as {
    members: number
    partitions: { topic: string; lag: number }[]
  }
  expect(members).toBe(1)
  // The end of what was read: what comes behind it are markers of transactions, of which inputs without any have none.
  for (const { topic, lag } of rows) if (topic === 'in') expect(lag).toBe(0)

  await stop(blue)
  const reset = await runCli('reset', '--application-id', 'blue-app', '--state-dir', join(folder, 'blue'), ...at)
  expect(reset).toMatchObject({ code: 0 })
  await write('in', 1)
  await eventuallyCounts('green', 16)
  expect((await counts('green')).goesUpByOne).toBe(true)
  const left = [
    ...(await broker.admin.describeTopics(['blue-app-counts-changelog', 'green-app-counts-changelog'])).keys(),
  ]
  expect(left).toEqual(['green-app-counts-changelog'])
  await stop(green)
})
