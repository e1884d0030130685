import { noRecordContext, partitionKey, type TopicPartition } from '../common/record.ts'
import type { RecordBatchReader } from '../common/record-batch-reader.ts'
import type { RecordCache } from '../state/record-cache.ts'
import type { StateStore } from '../state/state-store.ts'
import type { StoreHost } from '../state/store-host.ts'
import { TaskState } from '../state/task-state.ts'
import type { SourceNode } from '../topology/node.ts'
import type { Topology } from '../topology/topology.ts'
import { askAboutBytes, type ErrorHandlers } from './handlers.ts'
import { buildNodes, enter, type NodeGraph } from './node-graph.ts'
import type { Output } from './record-collector.ts'
import { RecordQueue } from './record-queue.ts'
import type { TaskServices } from './task-services.ts'
import { TaskMetrics } from './task-metrics.ts'

export interface GlobalTaskOptions {
  readonly applicationId: string
  readonly topology: Topology
  /** Folder of the state; null keeps it in memory. */
  readonly stateDirectory: string | null
  readonly handlers: ErrorHandlers
  readonly nowMs: () => number
  /** The test driver's, in which global stores take their part of the budget, as in Java; else they have none. */
  readonly cache?: RecordCache | null
  /** What a position in a topic is noted with; absent: positions are not kept. */
  readonly log?: { readonly clusterId: string; readonly topicId: (topic: string) => string }
}

/**
 * Fills the global stores: every instance has one of these and reads all partitions of their topics. What it has read is
 * there at once; nothing is committed, for the topics are the changelogs. Other tasks read the stores, and cannot write.
 * On disk are its rows with the positions they stand for, written together, so that a restart reads what came since.
 */
export class GlobalTask {
  readonly metrics = new TaskMetrics()
  readonly state: TaskState
  readonly #options: GlobalTaskOptions
  readonly #host: StoreHost
  readonly #queues = new Map<string, RecordQueue>()
  /** Topics of stores without a file: these are read from the beginning. */
  readonly #forgotten = new Set<string>()
  readonly #graph: NodeGraph

  constructor(options: GlobalTaskOptions) {
    this.#options = options
    const { topology, stateDirectory: directory, cache = null } = options
    this.#host = {
      recordContext: noRecordContext,
      cache,
      hasExactCacheSizes: cache !== null,
      isGlobal: true,
      isReadOnly: true,
      drop: (storeName, reason) => this.metrics.drop(storeName, reason),
    }
    this.state = new TaskState({ directory, stores: topology.globalStores, host: this.#host })
    const names = new Set(topology.subtopologies.filter(({ isGlobal }) => isGlobal).flatMap((group) => group.nodeNames))
    const nodes = topology.nodes.filter((node) => names.has(node.name))
    this.#graph = buildNodes(nodes, this.#services(), noOutput, (name) => name)
    for (const processor of this.#graph.processors) processor.init()
    for (const source of this.#sources()) {
      const below = nodes.filter((node) => node.kind === 'processor' && node.parents.includes(source.name))
      const stores = below.flatMap((node) => (node.kind === 'processor' ? node.stores : []))
      const isOnDisk = stores.every((store) => this.state.stores.get(store)?.spec.inMemory === false)
      if (!isOnDisk) for (const topic of source.topics) this.#forgotten.add(topic)
    }
  }

  /** From where a partition is to be read on; null: from its beginning. */
  position(topic: string, partition: number): number | null {
    return this.state.position(partitionKey(topic, partition))?.offset ?? null
  }

  /** The topics it reads. */
  get topics(): readonly string[] {
    return globalTopics(this.#options.topology)
  }

  store(name: string): StateStore | undefined {
    return this.state.stores.get(name)
  }

  /** Applies fetched records of a topic. */
  add(topic: string, partition: number, records: RecordBatchReader): void {
    const queue = this.#queue(topic, partition)
    queue.add(records)
    const entry = this.#graph.entry.get(queue.source.name)!
    this.#host.isReadOnly = false
    try {
      while (queue.head !== null) {
        const offset = queue.headOffset
        const record = queue.take()
        const { timestampMs, headers } = record
        this.#host.recordContext = { timestampMs, headers, topic, partition, offset }
        enter(entry, record)
        for (const store of this.state.stores.values()) store.flushCache()
        this.metrics.recordsProcessed++
      }
    } finally {
      this.#host.isReadOnly = true
    }
    const { log, nowMs } = this.#options
    const isKept = log !== undefined && !this.#forgotten.has(topic)
    const at = isKept && {
      offset: records.position,
      clusterId: log.clusterId,
      topicId: log.topicId(topic),
      savedAtMs: nowMs(),
    }
    this.state.freeze(at ? new Map([[partitionKey(topic, partition), at]]) : new Map())
  }

  close(): void {
    try {
      for (const processor of this.#graph.processors) processor.close()
    } finally {
      this.state.close()
    }
  }

  #queue(topic: string, partition: number): RecordQueue {
    const key = `${topic}:${partition}`
    const known = this.#queues.get(key)
    if (known !== undefined) return known
    const source = this.#sources().find(({ topics }) => topics.includes(topic))!
    const queue = new RecordQueue(
      source,
      topic,
      partition,
      { offset: 0 },
      {
        onUndecodable: (error, offset) => {
          const record = { topic, partition, offset, nodeName: source.name, taskId: 'global' }
          const decision = askAboutBytes(this.#options.handlers, error, record)
          if (decision !== 'fail') this.metrics.drop(source.name, 'deserialization-failed')
          return decision
        },
        onDropped: (reason) => this.metrics.drop(source.name, reason),
      },
    )
    this.#queues.set(key, queue)
    return queue
  }

  #sources(): readonly SourceNode[] {
    return globalSources(this.#options.topology)
  }

  #services(): TaskServices {
    const { applicationId, nowMs } = this.#options
    return {
      applicationId,
      taskId: 'global',
      host: this.#host,
      emitIntervalMs: 0,
      passesCastsOn: false,
      taken: () => null,
      looksForChanges: false,
      store: (name) => this.state.stores.get(name),
      globalStore: (name) => this.state.stores.get(name),
      schedule: () => {
        throw new Error('a global store is filled by records only: it has no schedules')
      },
      requestCommit: () => undefined,
      streamTimeMs: () => -1,
      nowMs,
      drop: (nodeName, reason) => this.metrics.drop(nodeName, reason),
      // As in Kafka Streams by default: what fails here fails the instance.
      mayContinue: () => false,
      mayContinueWithout: () => false,
      onRefused: () => undefined,
      committedNumber: () => undefined,
      setCommittedNumber: () => undefined,
      keepNumber: () => -1,
      shared: new Map(),
      wake: () => undefined,
      sleep: () => Promise.resolve(),
    }
  }
}

const globalSources = ({ nodes }: Topology): readonly SourceNode[] =>
  nodes.filter((node): node is SourceNode => node.kind === 'source' && node.isGlobal)

const globalTopics = (topology: Topology): readonly string[] => globalSources(topology).flatMap(({ topics }) => topics)

/** What is read for the global stores. */
export const globalPartitions = (topology: Topology, counts: ReadonlyMap<string, number>): TopicPartition[] =>
  globalTopics(topology).flatMap((topic) =>
    Array.from({ length: counts.get(topic)! }, (_, partition) => ({ topic, partition })),
  )

const noOutput: Output = {
  append: () => {
    throw new Error('a global store has no output')
  },
  partitionCount: () => 0,
}
