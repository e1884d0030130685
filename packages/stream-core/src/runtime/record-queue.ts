import { ProcessingError, SerdeError } from '../common/errors.ts'
import type { RecordBatchReader } from '../common/record-batch-reader.ts'
import { type Headers, noHeaders, type Record } from '../common/record.ts'
import type { Serde, SerdeContext } from '../common/serde.ts'
import type { SourceNode } from '../topology/node.ts'
import { failOnInvalidTimestamp } from '../topology/timestamp-extractors.ts'
import type { RawRecord } from './dead-letters.ts'
import type { HandlerDecision } from './handlers.ts'

/** The record that was taken last, with the range of its bytes in a fetch. Written over by the next. */
export interface TakenRecord {
  value: unknown
  readonly serde: Serde<unknown>
  bytes: Buffer
  keyStart: number
  keyEnd: number
  valueStart: number
  valueEnd: number
}

export interface QueueEvents {
  /** A record that does not decode: skip it (it was counted) or throw. */
  onUndecodable(error: SerdeError, offset: number, raw: () => RawRecord): HandlerDecision
  onDropped(reason: string): void
}

/**
 * One partition's records that were fetched and not processed. Only the first is decoded: the head, whose event time
 * decides when it is this queue's turn.
 */
export class RecordQueue {
  readonly source: SourceNode
  readonly topic: string
  readonly partition: number
  /** The next record, decoded; null when the queue is empty. */
  head: Record<unknown, unknown> | null = null
  headOffset = -1
  /** Offset to commit: everything below it has been processed or skipped. */
  position: number
  /** Offset of the last commit; before the first of this task here, where it began. */
  committed: number
  /** Largest event time seen in this partition. */
  partitionTimeMs = -1
  /** Offset of the record that was taken last. */
  takenOffset = -1
  /** Its value and where its bytes lie: for what is kept of it if it fails, and for sinks that it reaches as it is. */
  readonly taken: TakenRecord
  readonly #events: QueueEvents
  readonly #readers: RecordBatchReader[] = []
  readonly #keyContext: SerdeContext
  readonly #valueContext: SerdeContext
  /** Where the last fetch that was used up ended. */
  #end = -1
  /** Leader epochs of what lies before `position`, of the head, and of what lies before `#end`. */
  #epoch: number
  #headEpoch = -1
  #endEpoch = -1

  constructor(
    source: SourceNode,
    topic: string,
    partition: number,
    { offset, leaderEpoch = -1 }: { readonly offset: number; readonly leaderEpoch?: number | undefined },
    events: QueueEvents,
  ) {
    this.source = source
    this.topic = topic
    this.partition = partition
    this.position = this.committed = offset
    this.#epoch = leaderEpoch
    this.#events = events
    this.taken = {
      value: null,
      serde: source.value,
      bytes: noBytes,
      keyStart: -1,
      keyEnd: -1,
      valueStart: -1,
      valueEnd: -1,
    }
    this.#keyContext = { topic, part: 'key', headers: noHeaders }
    this.#valueContext = { topic, part: 'value', headers: noHeaders }
  }

  /** Fetched batches that wait, the one being read included. */
  get bufferedFetches(): number {
    return this.#readers.length
  }

  /** True if the queue was empty and is not any more. */
  add(reader: RecordBatchReader): boolean {
    this.#readers.push(reader)
    if (this.head !== null) return false
    this.#advance()
    return this.head !== null
  }

  /** Takes the head and decodes the next one. */
  take(): Record<unknown, unknown> {
    const record = this.head!
    this.position = this.headOffset + 1
    this.#epoch = this.#headEpoch
    const reader = this.#readers[0]!
    this.taken.value = record.value
    this.taken.bytes = reader.bytes
    this.taken.keyStart = reader.keyStart
    this.taken.keyEnd = reader.keyEnd
    this.taken.valueStart = reader.valueStart
    this.taken.valueEnd = reader.valueEnd
    this.takenOffset = this.headOffset
    this.recordsTaken++
    this.#advance()
    return record
  }

  recordsTaken = 0

  /** The bytes of the record that was taken last. */
  takenRaw(timestampMs: number, headers: Headers): RawRecord {
    const { bytes, keyStart, keyEnd, valueStart, valueEnd } = this.taken
    return {
      key: keyStart < 0 ? null : Buffer.from(bytes.subarray(keyStart, keyEnd)),
      value: valueStart < 0 ? null : Buffer.from(bytes.subarray(valueStart, valueEnd)),
      timestampMs,
      headers,
    }
  }

  #advance(): void {
    for (;;) {
      const reader = this.#readers[0]
      if (reader === undefined) {
        this.head = null
        return
      }
      while (reader.next()) {
        const record = this.#decode(reader)
        if (record !== null) {
          this.head = record
          this.headOffset = reader.offset
          this.#headEpoch = reader.leaderEpoch
          return
        }
        this.position = reader.offset + 1
        this.#epoch = reader.leaderEpoch
      }
      this.#readers.shift()
      this.#end = reader.position
      this.#endEpoch = reader.leaderEpoch
    }
  }

  /** Offset to commit. Where nothing waits it lies behind trailing markers and aborted records, so that lag can be 0. */
  get committable(): number {
    return this.head === null ? Math.max(this.position, this.#end) : this.position
  }

  /** Leader epoch of the record before `committable`; −1: not known. */
  get committableEpoch(): number {
    return this.head === null && this.#end >= this.position ? this.#endEpoch : this.#epoch
  }

  #decode(reader: RecordBatchReader): Record<unknown, unknown> | null {
    const { source } = this
    let key: unknown = null
    let value: unknown = null
    let part: 'key' | 'value' = 'key'
    try {
      if (reader.keyStart >= 0) key = source.key.read(reader.bytes, reader.keyStart, reader.keyEnd, this.#keyContext)
      part = 'value'
      if (reader.valueStart >= 0) {
        value = source.value.read(reader.bytes, reader.valueStart, reader.valueEnd, this.#valueContext)
      }
    } catch (error) {
      const serde = part === 'key' ? source.key : source.value
      const failure = new SerdeError(
        part,
        `the ${part} of ${this.topic} partition ${this.partition} offset ${reader.offset} is no valid ${serde.name}: ${(error as Error).message}`,
        { cause: error },
      )
      const raw = (): RawRecord => rawOf(reader, reader.timestampMs)
      if (this.#events.onUndecodable(failure, reader.offset, raw) === 'fail') throw failure
      return null
    }
    let timestampMs = reader.timestampMs
    if (timestampMs < 0 || timestampMs > Number.MAX_SAFE_INTEGER || this.source.timestampExtractor !== null)
      timestampMs = this.#extract(key, value, reader)
    if (timestampMs < 0) {
      this.#events.onDropped('negative-timestamp')
      return null
    }
    if (timestampMs > this.partitionTimeMs) this.partitionTimeMs = timestampMs
    return { key, value, timestampMs, headers: reader.headers() }
  }

  #extract(key: unknown, value: unknown, { timestampMs, offset }: RecordBatchReader): number {
    const extract = this.source.timestampExtractor ?? failOnInvalidTimestamp
    try {
      const extracted = extract({ key, value, timestampMs }, this.partitionTimeMs)
      if (Number.isSafeInteger(extracted)) return extracted
      throw new RangeError(`its extractor returned ${text(extracted)}, and not a whole number of milliseconds`)
    } catch (error) {
      throw new ProcessingError(
        this.source.name,
        `no timestamp for ${this.topic} partition ${this.partition} offset ${offset}: ${(error as Error).message}`,
        { cause: error },
      )
    }
  }
}

const noBytes: Buffer = Buffer.alloc(0)

const copyOf = (bytes: Buffer | null): Buffer | null => (bytes === null ? null : Buffer.from(bytes))

const rawOf = (reader: RecordBatchReader, timestampMs: number): RawRecord => ({
  key: copyOf(reader.key()),
  value: copyOf(reader.value()),
  timestampMs: Math.max(0, timestampMs),
  headers: reader.headers(),
})

const text = (value: unknown): string => (typeof value === 'string' ? JSON.stringify(value) : String(value))
