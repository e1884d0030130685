import { ByteWriter } from '../common/byte-writer.ts'
import { ConfigError, StreamsError } from '../common/errors.ts'
import { RecordBatchBuilder } from '../common/record-batch-builder.ts'
import { RecordBatchReader } from '../common/record-batch-reader.ts'
import { type Headers, noHeaders } from '../common/record.ts'
import type { Serde } from '../common/serde.ts'
import { GlobalTask } from '../runtime/global-task.ts'
import { type ErrorHandlers, failAlways } from '../runtime/handlers.ts'
import { changelogTopic, topicNames } from '../runtime/internal-topics.ts'
import { StreamTask } from '../runtime/stream-task.ts'
import { RecordCache } from '../state/record-cache.ts'
import type { StateStore } from '../state/state-store.ts'
import { storesInOrder } from '../topology/subtopology.ts'
import type { Topology } from '../topology/topology.ts'

export interface TopologyTestDriverOptions {
  /** Default `app`. */
  readonly applicationId?: string
  /** Where the wall clock stands at the start. Default 0; it moves only by `advanceWallClock`. */
  readonly wallClockStartMs?: number
  /** Bytes of the record cache, as in `StreamsOptions`. Default 0: every update is forwarded at once. */
  readonly cacheMaxBytes?: number
  /** Least wall-clock time between two attempts to emit what has closed. Default 0, for tests that do not move the clock. */
  readonly emitIntervalMs?: number
  readonly handlers?: Partial<ErrorHandlers>
}

export interface TestRecord<K, V> {
  readonly key: K
  readonly value: V
  readonly timestampMs: number
  readonly headers: Headers
}

export interface TestInputTopic<K, V> {
  /** Sends a record and runs the topology until nothing is left to do. Time defaults to the wall clock. */
  pipe(key: K | null, value: V | null, timestampMs?: number, headers?: Headers): void
}

export interface TestOutputTopic<K, V> {
  /** All records since the last read, oldest first. */
  readRecords(): readonly TestRecord<K | null, V | null>[]
  /** The same as `[key, value]`. */
  readKeyValues(): readonly (readonly [K | null, V | null])[]
  /** The last value of each key among the records since the last read. */
  readTable(): ReadonlyMap<K | null, V | null>
}

export interface ProducedRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
  /** null: the log's own time, for changelogs of buffers. */
  readonly timestampMs: number | null
  readonly headers: Headers
}

/**
 * Runs a topology without a broker, by Kafka Streams' rules for its TopologyTestDriver (conformance-format §3): one task
 * with every sub-topology, partition 0 everywhere, lowest event time first, a commit after each record, internal topics
 * fed back. It drives the same `StreamTask` as production.
 */
export class TopologyTestDriver {
  readonly #applicationId: string
  readonly #task: StreamTask
  readonly #global: GlobalTask
  readonly #outputs = new Map<string, ProducedRecord[]>()
  readonly #unread = new Map<string, ProducedRecord[]>()
  readonly #inputOffsets = new Map<string, number>()
  #pending: [topic: string, record: ProducedRecord][] = []
  #wallClockMs: number

  constructor(topology: Topology, options: TopologyTestDriverOptions = {}) {
    this.#applicationId = options.applicationId ?? 'app'
    this.#wallClockMs = options.wallClockStartMs ?? 0
    if (topology.missingSerdes.length > 0) throw new ConfigError('defaults', topology.missingSerdes.join('; '))
    const handlers = { ...failAlways, ...options.handlers }
    const nowMs = (): number => this.#wallClockMs
    this.#global = new GlobalTask({
      applicationId: this.#applicationId,
      topology,
      stateDirectory: null,
      handlers,
      nowMs,
    })
    const groups = topology.subtopologies.filter(({ isGlobal }) => !isGlobal)
    const names = new Set(groups.flatMap(({ nodeNames }) => nodeNames))
    this.#task = new StreamTask({
      applicationId: this.#applicationId,
      taskId: '0_0',
      partition: 0,
      topology,
      nodeNames: [...names],
      storeNames: storesInOrder(topology.nodes.filter(({ name }) => names.has(name))),
      stateDirectory: null,
      output: {
        append: (topic, _partition, key, value, timestampMs, headers) =>
          this.#pending.push([topic, { key: copy(key), value: copy(value), timestampMs, headers }]),
        partitionCount: () => 1,
      },
      handlers,
      nowMs,
      topicName: topicNames(topology, this.#applicationId),
      globalStore: (name) => this.#global.store(name),
      cache: options.cacheMaxBytes ? new RecordCache(options.cacheMaxBytes) : null,
      hasExactCacheSizes: true,
      emitIntervalMs: options.emitIntervalMs ?? 0,
    })
    for (const topic of [...this.#task.inputTopics, ...this.#global.topics]) this.#inputOffsets.set(topic, 0)
    const beginning = { offset: 0, partitionTimeMs: -1 }
    this.#task.initialise(new Map(this.#task.inputTopics.map((topic) => [topic, beginning])))
    this.#settle()
  }

  inputTopic<K, V>(topic: string, serdes: { key: Serde<K>; value: Serde<V> }): TestInputTopic<K, V> {
    if (!this.#inputOffsets.has(topic)) {
      throw new StreamsError(
        'ILLEGAL_STATE',
        `the topology does not read "${topic}"; it reads ${[...this.#inputOffsets.keys()].join(', ')}`,
      )
    }
    return {
      pipe: (key, value, timestampMs = this.#wallClockMs, headers = noHeaders) => {
        this.pipeBytes(
          topic,
          key === null ? null : encode(serdes.key, key, topic, 'key'),
          value === null ? null : encode(serdes.value, value, topic, 'value'),
          timestampMs,
          headers,
        )
      },
    }
  }

  outputTopic<K, V>(topic: string, serdes: { key: Serde<K>; value: Serde<V> }): TestOutputTopic<K, V> {
    const readRecords = (): TestRecord<K | null, V | null>[] => {
      const records = this.#unread.get(topic) ?? []
      this.#unread.delete(topic)
      return records.map(({ key, value, timestampMs, headers }) => ({
        key: key && serdes.key.read(key, 0, key.length, { topic, part: 'key', headers }),
        value: value && serdes.value.read(value, 0, value.length, { topic, part: 'value', headers }),
        timestampMs: timestampMs ?? -1,
        headers,
      }))
    }
    return {
      readRecords,
      readKeyValues: () => readRecords().map(({ key, value }) => [key, value] as const),
      readTable: () => new Map(readRecords().map(({ key, value }) => [key, value])),
    }
  }

  /** Sends raw bytes: also ones that do not decode. */
  pipeBytes(
    topic: string,
    key: Buffer | null,
    value: Buffer | null,
    timestampMs: number,
    headers: Headers = noHeaders,
  ): void {
    this.#enqueue(topic, { key, value, timestampMs, headers })
    this.#run()
  }

  /** Moves the wall clock and runs what is due. */
  advanceWallClock(byMs: number): void {
    this.#wallClockMs += byMs
    this.#task.punctuate('wall-clock-time')
    this.#commit()
    this.#settle()
    this.#run()
  }

  /** A store of the topology, to look at or to fill. */
  store<S extends StateStore>(name: string): S {
    const store = this.stores.get(name)
    if (!store) throw new StreamsError('ILLEGAL_STATE', `the topology has no store "${name}"`)
    return store as S
  }

  /** All stores, global ones too. */
  get stores(): ReadonlyMap<string, StateStore> {
    return new Map([...this.#task.state.stores, ...this.#global.state.stores])
  }

  /** Records that went no further, by `node/reason`. */
  get dropped(): ReadonlyMap<string, number> {
    return new Map([...this.#task.metrics.dropped, ...this.#global.metrics.dropped])
  }

  /** How many of them Kafka Streams' `dropped-records` would count. */
  get droppedRecords(): number {
    return this.#task.metrics.droppedRecords + this.#global.metrics.droppedRecords
  }

  get streamTimeMs(): number {
    return this.#task.streamTimeMs
  }

  /** Every record produced to a topic, internal ones too, in bytes. */
  producedRecords(topic: string): readonly ProducedRecord[] {
    return this.#outputs.get(topic) ?? []
  }

  get producedTopics(): readonly string[] {
    return [...this.#outputs.keys()]
  }

  close(): void {
    this.#task.close()
    this.#global.close()
  }

  #run(): void {
    while (this.#task.processNext()) {
      this.#task.punctuate('stream-time')
      this.#commit()
      this.#settle()
    }
  }

  /** The commit protocol without a log: caches are flushed, changelogs written, the layers frozen. */
  #commit(): void {
    this.#task.flushCaches()
    for (const store of this.#task.state.stores.values()) {
      if (store.spec.logging === null) continue
      const topic = changelogTopic(this.#applicationId, store.spec.name)
      store.changes((key, value, timestampMs, headers) =>
        this.#pending.push([topic, { key: Buffer.from(key, 'latin1'), value, timestampMs, headers }]),
      )
    }
    this.#task.state.freeze(new Map())
    this.#task.markCommitted()
  }

  /** Takes what was produced: to the outputs, and to the input queues of topics that are read here. */
  #settle(): void {
    const pending = this.#pending
    this.#pending = []
    for (const [topic, record] of pending) {
      for (const log of [this.#outputs, this.#unread]) {
        const records = log.get(topic)
        if (records) records.push(record)
        else log.set(topic, [record])
      }
      if (this.#inputOffsets.has(topic)) this.#enqueue(topic, record)
    }
  }

  #enqueue(topic: string, { key, value, timestampMs, headers }: ProducedRecord): void {
    const offset = this.#inputOffsets.get(topic)!
    this.#inputOffsets.set(topic, offset + 1)
    const builder = new RecordBatchBuilder(256)
    builder.append(key, value, timestampMs ?? this.#wallClockMs, headers)
    const bytes = builder.seal()
    bytes.writeBigInt64BE(BigInt(offset), 0)
    const options = { fromOffset: offset, isolation: 'read_uncommitted', where: topic } as const
    const records = new RecordBatchReader(bytes, 0, bytes.length, options)
    if (this.#global.topics.includes(topic)) this.#global.add(topic, 0, records)
    else this.#task.add(topic, records)
  }
}

const copy = (bytes: Uint8Array | null): Buffer | null => (bytes === null ? null : Buffer.from(bytes))

function encode<T>(serde: Serde<T>, value: T, topic: string, part: 'key' | 'value'): Buffer {
  const writer = new ByteWriter()
  serde.write(value, writer, { topic, part, headers: noHeaders })
  return writer.toBuffer()
}
