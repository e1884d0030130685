import { bytes, int64, json, stores, StreamsBuilder, string, type Topology } from 'stream-core'
import { LayeredTable } from '../../packages/stream-core/src/state/layered-table.ts'
import { KeyFilter } from '../../packages/stream-core/src/state/key-filter.ts'
import type { EngineRun, EngineRunOptions } from './engine-run.ts'
import { batchesOf, hotKey, start, vote, type Vote, workloads } from './engine-workloads.ts'

/** One way to do a piece of work. */
export interface Variant {
  topology(): Topology
  readonly options?: EngineRunOptions
  /** Switches something off while it runs; returns what switches it on again. */
  prepare?(): () => unknown
}

/** A lever of design §7: the same records and the same output, with it and without it. */
export interface Lever {
  readonly name: string
  input(records: number): readonly Buffer[]
  readonly with: Variant
  readonly without: Variant
  /** What both must agree in: throws if they do not, or if the lever has done nothing. */
  check(withIt: EngineRun, without: EngineRun, records: number): void
}

const voteInput = (records: number): readonly Buffer[] =>
  batchesOf(records, (i) => ({ key: hotKey(i), value: vote(i), timestampMs: start + i }))

function same(a: number, b: number, what: string): void {
  if (a !== b) throw new Error(`${what} differ: ${a} with it, ${b} without`)
}

function fewer(a: number, b: number, what: string): void {
  if (a >= b) throw new Error(`${what} are not fewer: ${a} with it, ${b} without`)
}

/** `isKept`: the value is the one that was read, so that its bytes may pass. A `mapValues` that returns it hides that. */
const repartitioned = (isKept: boolean): Topology => {
  const builder = new StreamsBuilder()
  const votes = builder
    .stream('in', { key: string(), value: json<Vote>() })
    .selectKey((key) => `${key}-again`, { key: string() })
  const given = isKept ? votes : votes.mapValues((value) => value, { value: json<Vote>() })
  given.repartition({ name: 'again', key: string(), value: json<Vote>() }).to('out')
  return builder.build()
}

const filtered = (isLean: boolean): Topology => {
  const builder = new StreamsBuilder()
  const value = isLean ? json<Vote>().pick('weight') : json<Vote>()
  builder
    .stream('in', { key: string(), value })
    .filter((_key, { weight }) => weight > 0)
    .mapValues(({ weight }) => weight, { value: int64() })
    .to('out')
  return builder.build()
}

const counted = (): Topology => {
  const builder = new StreamsBuilder()
  builder
    .stream('in', { key: string(), value: bytes() })
    .process(
      () => {
        let counts: { get(key: string): number | null; put(key: string, value: number): void }
        return {
          init: (context) => void (counts = context.getStateStore('counts')),
          process: ({ key }) => counts.put(key, (counts.get(key) ?? 0) + 1),
        }
      },
      { stores: [stores.keyValue({ name: 'counts', key: string(), value: int64() })], key: string(), value: bytes() },
    )
    .to('out')
  return builder.build()
}

/** Puts something else in the place of a member; returns what puts it back. */
function replaced(prototype: object, member: string, other: PropertyDescriptor): () => unknown {
  const own = Object.getOwnPropertyDescriptor(prototype, member)!
  Object.defineProperty(prototype, member, { ...own, ...other })
  return () => Object.defineProperty(prototype, member, own)
}

const dedup = workloads.find(({ name }) => name.startsWith('dedup'))!

export const levers: readonly Lever[] = [
  {
    name: 'an unchanged value goes into the repartition topic as its bytes',
    input: voteInput,
    with: { topology: () => repartitioned(true) },
    without: { topology: () => repartitioned(false) },
    check(a, b, records) {
      same(a.outputRecords, b.outputRecords, 'records')
      same(a.outputRecords, records, 'records out and in')
      same(a.outputBytes, b.outputBytes, 'bytes')
    },
  },
  {
    name: 'a JSON serde that reads only the members that are used',
    input: voteInput,
    with: { topology: () => filtered(true) },
    without: { topology: () => filtered(false) },
    check(a, b) {
      same(a.outputRecords, b.outputRecords, 'records')
      same(a.outputBytes, b.outputBytes, 'bytes')
    },
  },
  {
    name: 'the changelog is written once per key and commit (1,000 keys; commits every 4,000 records against every 100)',
    input: voteInput,
    with: { topology: counted, options: { commitEvery: 4000 } },
    without: { topology: counted, options: { commitEvery: 100 } },
    check: (a, b) => fewer(a.changelogRecords, b.changelogRecords, 'changelog records'),
  },
  {
    name: 'a filter of existing keys spares the disk when a key is new',
    input: (records) => dedup.input(records),
    with: { topology: () => dedup.topology() },
    without: {
      topology: () => dedup.topology(),
      prepare: () => replaced(KeyFilter.prototype, 'mayHave', { value: () => true }),
    },
    check(a, b, records) {
      same(a.outputRecords, b.outputRecords, 'records')
      // Without it, one for each key that comes after the first commit. With it, what it takes for known, wrongly.
      if (b.reads < records - 4000) throw new Error(`only ${b.reads} reads of SQLite without the filter`)
      if (a.reads > records / 100) throw new Error(`${a.reads} reads of SQLite for ${records} new keys`)
    },
  },
  {
    name: 'values that are on disk are kept to be read (1,000 keys; written to disk every 2,000 records)',
    input: voteInput,
    with: { topology: counted, options: { persistEvery: 2000 } },
    without: {
      topology: counted,
      options: { persistEvery: 2000 },
      prepare: () => replaced(LayeredTable.prototype, 'readCacheEntriesMax', { get: () => 0 }),
    },
    check(a, b) {
      same(a.outputBytes, b.outputBytes, 'bytes')
      fewer(a.reads, b.reads, 'reads of SQLite')
    },
  },
]
