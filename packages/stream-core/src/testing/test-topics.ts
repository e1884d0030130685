import { ByteWriter } from '../common/byte-writer.ts'
import { knownOptions } from '../common/choice.ts'
import { ArgumentError, SerdeError, StreamsError } from '../common/errors.ts'
import { type Headers, noHeaders } from '../common/record.ts'
import type { Serde } from '../common/serde.ts'
import type { DriverLog, ProducedRecord } from './driver-log.ts'
import { checkSerdes, wholeMs } from './driver-options.ts'

export interface TopicSerdes<K, V> {
  readonly key: Serde<K>
  readonly value: Serde<V>
}

export interface TestRecord<K, V> {
  readonly key: K
  readonly value: V
  readonly timestampMs: number
  readonly headers: Headers
  readonly partition: number
}

export interface TestInputOptions {
  /** Time of the first record that names none. Default: the driver's wall clock, as it moves. */
  readonly startMs?: number
  /** How far that time moves with each record that names none. Default 0. */
  readonly autoAdvanceMs?: number
}

export interface PipeOptions {
  readonly timestampMs?: number
  readonly headers?: Headers
  /** Default: by the hash of the key's bytes, as a producer chooses it. */
  readonly partition?: number
}

/** Sends a record in bytes to a topic of the driver. */
export type PipeBytes = (
  key: Buffer | null,
  value: Buffer | null,
  timestampMs: number,
  headers: Headers,
  partition: number | undefined,
) => void

/** Puts records into a topic; after each the topology runs until nothing is left to do. */
export class TestInputTopic<K, V> {
  readonly #topic: string
  readonly #serdes: TopicSerdes<K, V>
  readonly #pipe: PipeBytes
  readonly #nowMs: () => number
  readonly #autoAdvanceMs: number
  #nextMs: number | null

  /** @internal */
  constructor(
    topic: string,
    serdes: TopicSerdes<K, V>,
    options: TestInputOptions,
    pipe: PipeBytes,
    nowMs: () => number,
  ) {
    checkSerdes(topic, serdes)
    knownOptions('createInputTopic', options, ['startMs', 'autoAdvanceMs'])
    const { startMs, autoAdvanceMs = 0 } = options
    this.#topic = topic
    this.#serdes = serdes
    this.#pipe = pipe
    this.#nowMs = nowMs
    this.#nextMs = startMs === undefined ? null : wholeMs('startMs', startMs)
    this.#autoAdvanceMs = wholeMs('autoAdvanceMs', autoAdvanceMs)
  }

  /** Moves the time of the records that name none. */
  advanceTime(byMs: number): void {
    this.#nextMs = (this.#nextMs ?? this.#nowMs()) + wholeMs('byMs', byMs)
  }

  /** Sends one record. A number for the options is its time. */
  pipeInput(key: K | null, value: V | null, options: number | PipeOptions = {}): void {
    const given = typeof options === 'number' ? { timestampMs: options } : checkedPlace(options)
    const { key: keySerde, value: valueSerde } = this.#serdes
    const keyBytes = key === null ? null : encode(keySerde, key, this.#topic, 'key')
    const valueBytes = value === null ? null : encode(valueSerde, value, this.#topic, 'value')
    const { timestampMs = this.#takeTime(), headers = noHeaders, partition } = given
    this.#pipe(keyBytes, valueBytes, timestampMs, headers, partition)
  }

  pipeKeyValueList(pairs: readonly (readonly [K | null, V | null])[]): void {
    for (const [key, value] of pairs) this.pipeInput(key, value)
  }

  pipeValueList(values: readonly (V | null)[]): void {
    for (const value of values) this.pipeInput(null, value)
  }

  pipeRecordList(records: readonly (Partial<TestRecord<K | null, V | null>> & { readonly value: V | null })[]): void {
    for (const { key = null, value, ...options } of records) this.pipeInput(key, value, options)
  }

  #takeTime(): number {
    if (this.#nextMs === null) {
      const nowMs = this.#nowMs()
      if (this.#autoAdvanceMs > 0) this.#nextMs = nowMs + this.#autoAdvanceMs
      return nowMs
    }
    const timeMs = this.#nextMs
    this.#nextMs += this.#autoAdvanceMs
    return timeMs
  }
}

/** Reads what the topology wrote to a topic, each record once. */
export class TestOutputTopic<K, V> {
  readonly #topic: string
  readonly #serdes: TopicSerdes<K, V>
  readonly #log: DriverLog

  /** @internal */
  constructor(topic: string, serdes: TopicSerdes<K, V>, log: DriverLog) {
    checkSerdes(topic, serdes)
    this.#topic = topic
    this.#serdes = serdes
    this.#log = log
  }

  get isEmpty(): boolean {
    return this.queueSize === 0
  }

  /** Records that were not read. */
  get queueSize(): number {
    return this.#log.unreadCount(this.#topic)
  }

  /** The oldest record that was not read. Throws if there is none. */
  readRecord(): TestRecord<K | null, V | null> {
    const [record] = this.#log.takeUnread(this.#topic, 1)
    if (record !== undefined) return this.#decode(record)
    const wasWritten = this.#log.records(this.#topic).length > 0
    throw new StreamsError(
      'ILLEGAL_STATE',
      wasWritten ? `nothing is left to read from "${this.#topic}"` : `nothing was written to "${this.#topic}"`,
    )
  }

  readKeyValue(): readonly [K | null, V | null] {
    const { key, value } = this.readRecord()
    return [key, value]
  }

  readValue(): V | null {
    return this.readRecord().value
  }

  /** All records that were not read, oldest first. */
  readRecordsToList(): readonly TestRecord<K | null, V | null>[] {
    return this.#log.takeUnread(this.#topic).map((record) => this.#decode(record))
  }

  readKeyValuesToList(): readonly (readonly [K | null, V | null])[] {
    return this.readRecordsToList().map(({ key, value }) => [key, value] as const)
  }

  readValuesToList(): readonly (V | null)[] {
    return this.readRecordsToList().map(({ value }) => value)
  }

  /** The last value of each key among the records that were not read. */
  readKeyValuesToMap(): ReadonlyMap<K | null, V | null> {
    return new Map(this.readRecordsToList().map(({ key, value }) => [key, value]))
  }

  #decode({ key, value, timestampMs, headers, partition }: ProducedRecord): TestRecord<K | null, V | null> {
    const topic = this.#topic
    return {
      key: key && this.#serdes.key.read(key, 0, key.length, { topic, part: 'key', headers }),
      value: value && this.#serdes.value.read(value, 0, value.length, { topic, part: 'value', headers }),
      timestampMs: timestampMs ?? -1,
      headers,
      partition,
    }
  }
}

function checkedPlace(options: PipeOptions): PipeOptions {
  if (typeof options !== 'object' || options === null) {
    const got = JSON.stringify(options) ?? 'nothing'
    throw new ArgumentError(
      'options',
      `the options of pipeInput are a time in milliseconds or { timestampMs, headers, partition }; got ${got}`,
    )
  }
  knownOptions('pipeInput', options, ['timestampMs', 'headers', 'partition'])
  return options
}

function encode<T>(serde: Serde<T>, value: T, topic: string, part: 'key' | 'value'): Buffer {
  const writer = new ByteWriter()
  try {
    serde.write(value, writer, { topic, part, headers: noHeaders })
  } catch (error) {
    const why = (error as Error).message
    throw new SerdeError(part, `the ${part} of a record for "${topic}" cannot be written as ${serde.name}: ${why}`, {
      cause: error,
    })
  }
  return writer.toBuffer()
}
