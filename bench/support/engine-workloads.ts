import {
  bytes,
  int64,
  json,
  type KeyValueStore,
  type ProcessorContext,
  type ProcessorSupplier,
  stores,
  StreamsBuilder,
  string,
  type TimestampedWindowStore,
  timeWindows,
  type Topology,
} from 'stream-core'
import { RecordBatchBuilder } from '../../packages/stream-core/src/common/record-batch-builder.ts'
import { noHeaders } from '../../packages/stream-core/src/common/record.ts'
import type { EngineRun } from './engine-run.ts'

export interface Workload {
  readonly name: string
  readonly topic: string
  topology(): Topology
  /** Sealed batches of about 1,000 records. */
  input(records: number): readonly Buffer[]
  /** What is read before the clock starts: the table of a join. */
  before?(records: number): readonly { readonly topic: string; readonly batches: readonly Buffer[] }[]
  /** Throws if the output is wrong. */
  check(run: EngineRun, records: number): void
}

const hotKeys = 1000
const batchRecords = 1000

export function batchesOf(
  records: number,
  record: (i: number) => { readonly key: string | null; readonly value: Buffer; readonly timestampMs: number },
): readonly Buffer[] {
  const batches: Buffer[] = []
  const builder = new RecordBatchBuilder(1 << 16)
  for (let i = 0; i < records; i++) {
    const { key, value, timestampMs } = record(i)
    builder.append(key, value, timestampMs, noHeaders)
    if (builder.recordCount === batchRecords) batches.push(builder.seal())
  }
  if (builder.recordCount > 0) batches.push(builder.seal())
  return batches
}

export const hotKey = (i: number): string =>
  `voter-${String((Math.imul(i, 2_654_435_761) >>> 0) % hotKeys).padStart(6, '0')}`
export const vote = (i: number): Buffer =>
  Buffer.from(
    `{"poll":"harbour","option":"option-${i % 5}","region":"region-${i % 8}","ballot":"b-${Math.imul(i, 2_654_435_761) >>> 0}","weight":1}`,
  )
export const start = 1_790_000_000_000

export interface Vote {
  readonly poll: string
  readonly option: string
  readonly region: string
  readonly ballot: string
  readonly weight: number
}

function expect(actual: number, expected: number, what: string): void {
  if (actual !== expected) throw new Error(`${what}: expected ${expected}, got ${actual}`)
}

export const workloads: readonly Workload[] = [
  {
    name: 'stateless chain (filter, mapValues, filter, peek; bytes)',
    topic: 'in',
    topology() {
      const builder = new StreamsBuilder()
      let seen = 0
      builder
        .stream('in', { key: bytes(), value: bytes() })
        .filter((_key, value) => value.length > 10)
        .mapValues((value) => value.subarray(0, 32), { value: bytes() })
        .filter((key) => key !== null)
        .peek(() => void seen++)
        .to('out')
      return builder.build()
    },
    input: (records) => batchesOf(records, (i) => ({ key: hotKey(i), value: vote(i), timestampMs: start + i })),
    check: (run, records) => expect(run.outputRecords, records, 'records out'),
  },
  {
    name: 'keyed count, 1,000 hot keys (string, int64)',
    topic: 'in',
    topology() {
      const builder = new StreamsBuilder()
      builder
        .stream('in', { key: string(), value: bytes() })
        .groupByKey()
        .count({ store: { name: 'counts' } })
        .toStream()
        .to('out')
      return builder.build()
    },
    input: (records) => batchesOf(records, (i) => ({ key: hotKey(i), value: vote(i), timestampMs: start + i })),
    check(run, records) {
      let sum = 0
      const counts = run.task.state.stores.get('counts') as unknown as {
        all(): Iterable<[string, { readonly value: number }]>
      }
      for (const [, { value }] of counts.all()) sum += value
      expect(sum, records, 'the sum of all counts')
    },
  },
  {
    name: 'tumbling-window count, 1,000 hot keys, JSON values',
    topic: 'in',
    topology() {
      const builder = new StreamsBuilder()
      builder
        .stream('in', { key: string(), value: json<Vote>() })
        .filter((_key, { weight }) => weight > 0)
        .groupByKey()
        .windowedBy(timeWindows({ size: { seconds: 10 }, grace: { seconds: 5 } }))
        .count({ store: { name: 'counts' } })
        .toStream()
        .to('out')
      return builder.build()
    },
    input: (records) => batchesOf(records, (i) => ({ key: hotKey(i), value: vote(i), timestampMs: start + i })),
    check(run, records) {
      const store = run.task.state.stores.get('counts') as unknown as TimestampedWindowStore<string, number>
      const newest = start + records - 1
      const from = newest - (newest % 10_000)
      let sum = 0
      for (const [, { value }] of store.fetchAll(from, from)) sum += value
      expect(sum, Math.min(records, newest - from + 1), 'the sum of the newest window')
    },
  },
  {
    name: 'stream-table join, 1,000 hot keys (JSON values)',
    topic: 'in',
    topology() {
      const builder = new StreamsBuilder()
      const voters = builder.table('voters', {
        key: string(),
        value: json<{ region: string }>(),
        store: { name: 'voters' },
      })
      builder
        .stream('in', { key: string(), value: json<Vote>() })
        .join(voters, ({ option }, { region }) => ({ option, region }))
        .to('out', { value: json() })
      return builder.build()
    },
    before: () => [
      {
        topic: 'voters',
        batches: batchesOf(hotKeys, (i) => ({
          key: `voter-${String(i).padStart(6, '0')}`,
          value: Buffer.from(`{"region":"region-${i % 8}","since":2019}`),
          timestampMs: start - hotKeys + i,
        })),
      },
    ],
    input: (records) => batchesOf(records, (i) => ({ key: hotKey(i), value: vote(i), timestampMs: start + i })),
    check: (run, records) => expect(run.outputRecords, records, 'records out'),
  },
  {
    name: 'JSON in and out',
    topic: 'in',
    topology() {
      const builder = new StreamsBuilder()
      builder
        .stream('in', { key: string(), value: json<Vote>() })
        .mapValues((value) => ({ ...value, weight: value.weight + 1 }), { value: json() })
        .to('out')
      return builder.build()
    },
    input: (records) => batchesOf(records, (i) => ({ key: hotKey(i), value: vote(i), timestampMs: start + i })),
    check: (run, records) => expect(run.outputRecords, records, 'records out'),
  },
  {
    name: 'dedup, every record a new key (16-byte keys)',
    topic: 'in',
    topology() {
      const builder = new StreamsBuilder()
      builder.addStateStore(stores.keyValue({ name: 'seen', key: string(), value: int64() }))
      const dedup: ProcessorSupplier<string, Buffer> = () => {
        let context: ProcessorContext<string, Buffer>
        let seen: KeyValueStore<string, number>
        return {
          init(given) {
            context = given
            seen = context.getStateStore('seen')
          },
          process(record) {
            if (seen.get(record.key) !== null) return
            seen.put(record.key, record.timestampMs)
            context.forward(record)
          },
        }
      }
      builder
        .stream('in', { key: string(), value: bytes() })
        .process(dedup, { stores: ['seen'], key: string(), value: bytes() })
        .to('out')
      return builder.build()
    },
    input: (records) =>
      batchesOf(records, (i) => ({
        key: (Math.imul(i, 2_654_435_761) >>> 0).toString(16).padStart(8, '0') + i.toString(16).padStart(8, '0'),
        value: vote(i).subarray(0, 40),
        timestampMs: start + i,
      })),
    check: (run, records) => expect(run.outputRecords, records, 'records out'),
  },
]
