import { RecordBatchBuilder } from '../common/record-batch-builder.ts'
import { RecordBatchReader } from '../common/record-batch-reader.ts'
import type { Headers } from '../common/record.ts'

/** A record as a topic holds it, in bytes. */
export interface ProducedRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
  /** null: the log's own time, for changelogs of buffers. */
  readonly timestampMs: number | null
  readonly headers: Headers
  readonly partition: number
}

interface Topic {
  /** What the topology has written, in the order in which it became visible, all partitions together. */
  readonly all: ProducedRecord[]
  /** That, and what the test has sent. */
  readonly partitions: ProducedRecord[][]
  /** How far `takeUnread` has come. */
  unreadFrom: number
}

/** The topics of a test driver: partitions in memory; offsets are indexes. */
export class DriverLog {
  readonly #topics = new Map<string, Topic>()
  readonly #partitionCount: (topic: string) => number

  constructor(partitionCount: (topic: string) => number) {
    this.#partitionCount = partitionCount
  }

  /** Topics that the topology has written to, in the order of their first records. */
  get topics(): readonly string[] {
    return [...this.#topics].filter(([, { all }]) => all.length > 0).map(([topic]) => topic)
  }

  append(topic: string, record: ProducedRecord, from: 'topology' | 'test'): void {
    const held = this.#topic(topic)
    if (from === 'topology') held.all.push(record)
    held.partitions[record.partition]!.push(record)
  }

  /** What the topology has written. */
  records(topic: string): readonly ProducedRecord[] {
    return this.#topics.get(topic)?.all ?? []
  }

  /** Everything there is in a partition. */
  partition(topic: string, partition: number): readonly ProducedRecord[] {
    return this.#topics.get(topic)?.partitions[partition] ?? []
  }

  /** The oldest record that was not taken, or all of them. */
  takeUnread(topic: string, limit = Number.POSITIVE_INFINITY): readonly ProducedRecord[] {
    const held = this.#topics.get(topic)
    if (held === undefined) return []
    const records = held.all.slice(held.unreadFrom, held.unreadFrom + limit)
    held.unreadFrom += records.length
    return records
  }

  unreadCount(topic: string): number {
    const held = this.#topics.get(topic)
    return held === undefined ? 0 : held.all.length - held.unreadFrom
  }

  #topic(topic: string): Topic {
    let held = this.#topics.get(topic)
    if (held === undefined) {
      const partitions = Array.from({ length: this.#partitionCount(topic) }, (): ProducedRecord[] => [])
      this.#topics.set(topic, (held = { all: [], partitions, unreadFrom: 0 }))
    }
    return held
  }
}

/** One record as a fetch would bring it. */
export function batchOf(topic: string, offset: number, record: ProducedRecord, nowMs: number): RecordBatchReader {
  const { key, value, timestampMs, headers } = record
  const builder = new RecordBatchBuilder(256)
  builder.append(key, value, timestampMs ?? nowMs, headers)
  const bytes = builder.seal()
  bytes.writeBigInt64BE(BigInt(offset), 0)
  return new RecordBatchReader(bytes, 0, bytes.length, {
    fromOffset: offset,
    isolation: 'read_uncommitted',
    where: topic,
  })
}
