import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openEmbeddedLog } from '../../src/embedded.ts'
import {
  type Broker,
  int64,
  json,
  Streams,
  StreamsBuilder,
  string,
  timeWindows,
  type Topology,
} from '../../src/index.ts'
import { eventually, readAll } from '../support/log-records.ts'

let folder: string
let broker: Broker
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'manifest-'))
  broker = await openEmbeddedLog({ path: join(folder, 'log.db') })
  await broker.admin.createTopics(['in', 'out'].map((topic) => ({ topic, partitions: 1 })))
})
afterEach(async () => {
  await broker.close()
  rmSync(folder, { recursive: true })
})

const words = (builder: StreamsBuilder) => builder.stream('in', { key: string(), value: string() }).groupByKey()

function counted(): Topology {
  const builder = new StreamsBuilder()
  words(builder)
    .count({ store: { name: 'counts' } })
    .toStream()
    .to('out', { value: int64() })
  return builder.build()
}

function windowed(sizeMs: number, retentionMs: number): Topology {
  const builder = new StreamsBuilder()
  words(builder)
    .windowedBy(timeWindows({ size: sizeMs, grace: 0 }))
    .count({ store: { name: 'counts', retentionMs } })
    .toStream()
    .map(({ key, window }, count) => [`${key}@${window.start}`, count], { key: string(), value: int64() })
    .to('out')
  return builder.build()
}

function listed(): Topology {
  const builder = new StreamsBuilder()
  words(builder)
    .aggregate<readonly string[]>({
      init: () => [],
      add: (list, word) => [...list, word],
      store: { name: 'counts', value: json<readonly string[]>() },
    })
    .toStream()
    .to('out')
  return builder.build()
}

const open = (topology: Topology): Streams =>
  new Streams({ topology, applicationId: 'app', broker, stateDir: join(folder, 'state'), commitIntervalMs: 5 })

async function write(): Promise<void> {
  const producer = await broker.openProducer()
  producer.append('in', 0, Buffer.from('k'), Buffer.from('v'), 1000)
  await producer.flush()
  await producer.close()
}

async function run(topology: Topology): Promise<number> {
  const before = (await readAll(broker, 'out')).length
  await write()
  const streams = open(topology)
  await streams.start()
  await eventually('a result', async () => (await readAll(broker, 'out')).length > before)
  await streams.close()
  return Number(Buffer.from((await readAll(broker, 'out')).at(-1)!.value!, 'latin1').readBigInt64BE())
}

test('a store that became something else under its old name is refused, with what changed and the ways out', async () => {
  await run(counted())
  for (const [topology, change] of [
    [windowed(1000, 60_000), 'its kind was keyValue and is window'],
    [listed(), 'its value was int64 and is json'],
  ] as const) {
    const error = await open(topology)
      .start()
      .catch((failure: unknown) => failure as Error)
    expect(error).toMatchObject({ code: 'INVALID_CONFIG' })
    expect((error as Error).message).toContain(`the store "counts" has state of another kind: ${change}`)
    expect((error as Error).message).toContain('another name')
  }
  // Nothing was lost by the attempts.
  expect(await run(counted())).toBe(2)
})

test('windows of another size are refused, and another retention only lays the rows out anew', async () => {
  expect(await run(windowed(10_000, 60_000))).toBe(1)
  await expect(open(windowed(20_000, 60_000)).start()).rejects.toThrow('its windowSizeMs was 10000 and is 20000')
  expect(await run(windowed(10_000, 86_400_000))).toBe(2)
  expect(await run(windowed(10_000, 86_400_000))).toBe(3)
})
