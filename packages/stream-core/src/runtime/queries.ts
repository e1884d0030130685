import type { Placement } from '../assignment/user-data.ts'
import { ArgumentError, StoreNotAvailableError } from '../common/errors.ts'
import type { Logger } from '../common/logger.ts'
import { partitionForKey } from '../common/murmur2.ts'
import type { Serde } from '../common/serde.ts'
import { shown } from '../common/shown.ts'
import type { LocalStore, LocalStores } from '../queries/local-stores.ts'
import { openReadOnly, queryKinds } from '../queries/open-read-only.ts'
import type { QueryKind, ReadOnlyStores } from '../queries/read-only-stores.ts'
import type {
  InputBound,
  InstanceInfo,
  KeyMetadata,
  KeyPartitioner,
  StoreLag,
  StoreMetadata,
  StoreQuery,
} from '../queries/store-query.ts'
import type { Isolation } from '../state/layered-table.ts'
import { viewOf } from '../state/open-store.ts'
import type { StateStore } from '../state/state-store.ts'
import type { StoreSpec } from '../state/store-spec.ts'
import { StoreCodec } from '../state/value-codec.ts'
import type { Subtopology } from '../topology/subtopology.ts'
import { changelogTopics, topicNames } from './internal-topics.ts'
import { checkBoundTopics, checkReached } from './query-bounds.ts'
import { checkQuery } from './query-checks.ts'
import type { StreamTask } from './stream-task.ts'
import type { StreamThread } from './stream-thread.ts'
import type { StreamsConfig, StreamsState } from './streams-config.ts'

export interface QueriesOptions {
  readonly config: StreamsConfig
  readonly state: () => StreamsState
  /** null: it was not opened yet. */
  readonly thread: () => StreamThread | null
  readonly globalStore: (name: string) => StateStore | undefined
}

/** How keys of a store come to their partitions. */
interface Router {
  readonly codec: StoreCodec<unknown, unknown>
  readonly hasPartitioner: boolean
}

type AnyQuery = StoreQuery<never, never>

/**
 * Interactive queries (D49): reads of stores from outside the topology, between two slices of the loop. What is not here is never
 * answered by "nothing": a StoreNotAvailableError says who has it.
 */
export class Queries {
  readonly #options: QueriesOptions
  readonly #views = new WeakMap<StateStore, Map<Isolation, StateStore>>()
  readonly #subtopologies = new Map<string, Subtopology>()
  readonly #routers = new Map<string, Router>()

  constructor(options: QueriesOptions) {
    this.#options = options
  }

  store<Kind extends QueryKind, K, V>(name: string, query: StoreQuery<K, V, Kind>): ReadOnlyStores<K, V>[Kind] {
    const spec = this.spec(name)
    checkQuery(spec, query as unknown as AnyQuery)
    const stores = this.#isGlobal(name)
      ? this.#globalStores(name, query.isolation)
      : this.#localStores(spec, query as unknown as AnyQuery)
    if (this.#isGlobal(name)) this.checkBounds(name, query.atLeast ?? [])
    return openReadOnly<K, V>(query.kind, spec, stores) as ReadOnlyStores<K, V>[Kind]
  }

  get logger(): Logger {
    return this.#options.config.logger
  }

  /** Throws an ArgumentError that names the stores there are. */
  spec(name: string): StoreSpec {
    const { stores, globalStores } = this.#options.config.topology
    const all = [...stores, ...globalStores]
    const spec = all.find((candidate) => candidate.name === name)
    if (spec !== undefined) return spec
    const names = all.filter((candidate) => queryKinds(candidate).length > 0).map((candidate) => `"${candidate.name}"`)
    const those = names.length === 0 ? 'the topology has none that can be read' : `there are ${names.join(', ')}`
    throw new ArgumentError('name', `there is no store ${shown(name)}; ${those}`)
  }

  /** Throws an ArgumentError for bounds that say nothing of a store. */
  checkBounds(name: string, bounds: readonly InputBound[]): void {
    if (bounds.length === 0) return
    if (this.#isGlobal(name)) return checkBoundTopics(name, bounds, [], new Map())
    const { inputTopics, partitionCounts } = this.#open(name).facts
    checkBoundTopics(name, bounds, inputTopics.get(this.#subtopology(name).id)!, partitionCounts)
  }

  metadataForKey<K>(name: string, key: K, partitioner?: KeyPartitioner<K>): KeyMetadata {
    const spec = this.spec(name)
    const thread = this.#open(name)
    if (this.#isGlobal(name)) return { store: name, partition: null, active: this.#self(thread), standbys: [] }
    const partition = this.#partitionOf(spec, key, partitioner as KeyPartitioner<unknown> | undefined)
    if (partition === null) throw this.#unknownPartition(name)
    const taskId = this.#taskId(name, partition)
    const having = (role: 'active' | 'standby') =>
      thread.placements.filter((placement) => placement[role].includes(taskId)).map((at) => info(at, thread))
    return { store: name, partition, active: having('active')[0] ?? null, standbys: having('standby') }
  }

  metadataForStore(name: string): readonly StoreMetadata[] {
    this.spec(name)
    const thread = this.#open(name)
    if (this.#isGlobal(name)) {
      return thread.placements.map((at) => ({ ...info(at, thread), activePartitions: [], standbyPartitions: [] }))
    }
    const { id } = this.#subtopology(name)
    const partitions = (tasks: readonly string[]): number[] =>
      tasks.filter((task) => task.startsWith(`${id}_`)).map((task) => Number(task.split('_')[1]))
    return thread.placements
      .map((at) => ({
        ...info(at, thread),
        activePartitions: partitions(at.active),
        standbyPartitions: partitions(at.standby),
      }))
      .filter(({ activePartitions, standbyPartitions }) => activePartitions.length + standbyPartitions.length > 0)
  }

  /** null: a global store. */
  partitionCount(name: string): number | null {
    if (this.#isGlobal(name)) return null
    return Math.max(...this.#widths(this.#open(name), this.#subtopology(name)))
  }

  async allLocalStoreLags(): Promise<readonly StoreLag[]> {
    const { topology, applicationId, broker } = this.#options.config
    const thread = this.#options.thread()
    if (thread === null) return []
    const topicOf = changelogTopics(topology, applicationId)
    const asked = thread.manager.all.flatMap((task) =>
      [...task.state.stores.keys()].flatMap((store) => {
        const topic = topicOf(store)
        if (topic === undefined) return []
        const position = task.state.position(store)?.offset ?? 0
        return [{ task, store, topic, partition: task.partition, position, phase: phaseOf(thread, task) }]
      }),
    )
    const ends = await broker.admin.listOffsets(asked, 'latest')
    return asked.map(({ store, partition, phase, position }, i) => {
      const endOffset = ends[i]!
      const lag = phase === 'running' ? 0 : Math.max(0, endOffset - position)
      return { store, partition, phase, position, endOffset, lag }
    })
  }

  #isGlobal(name: string): boolean {
    return this.#options.config.topology.globalStores.some((spec) => spec.name === name)
  }

  #subtopology(name: string): Subtopology {
    const known = this.#subtopologies.get(name)
    if (known !== undefined) return known
    const found = this.#options.config.topology.subtopologies.find(({ storeNames }) => storeNames.includes(name))
    if (found === undefined) {
      throw new ArgumentError('name', `no processor uses the store "${name}": nothing is ever put into it`)
    }
    this.#subtopologies.set(name, found)
    return found
  }

  #isRunning(task: StreamTask): boolean {
    const thread = this.#options.thread()
    const state = this.#options.state()
    return thread !== null && (state === 'running' || state === 'restoring') && isRunning(task, thread.manager)
  }

  #taskId(name: string, partition: number): string {
    return `${this.#subtopology(name).id}_${partition}`
  }

  /** Throws unless this instance is at work. */
  #open(name: string): StreamThread {
    const state = this.#options.state()
    const thread = this.#options.thread()
    if (thread !== null && (state === 'running' || state === 'restoring')) return thread
    throw new StoreNotAvailableError(`the store "${name}" cannot be read: this instance is ${state}`)
  }

  #globalStores(name: string, isolation: Isolation = 'read_committed'): LocalStores {
    const all = (): readonly LocalStore[] => {
      this.#open(name)
      const store = this.#options.globalStore(name)
      if (store === undefined) throw new StoreNotAvailableError(`the global store "${name}" is not filled yet`)
      return [{ partition: 0, store: this.#viewOf(store, isolation), check: () => void this.#open(name) }]
    }
    return { all, having: all }
  }

  #localStores(spec: StoreSpec, query: AnyQuery): LocalStores {
    const { name } = spec
    const { id } = this.#subtopology(name)
    const { isolation = 'read_committed', allowStale = false, partitions, atLeast = [] } = query
    const at = (partition: number): LocalStore & { readonly task: StreamTask } => {
      const task = this.#task(name, partition, allowStale)
      if (atLeast.length > 0) {
        this.checkBounds(name, atLeast)
        checkReached(name, task, this.#isRunning(task), atLeast, isolation)
      }
      const store = task.state.stores.get(name)!
      const check = (): void => {
        if (this.#isRunning(task) && task.state.stores.get(name) === store) return
        // State that was wiped, or closed and opened again, is another one.
        if (this.#task(name, partition, allowStale).state.stores.get(name) === store) return
        throw this.#elsewhere(name, partition, 'has begun again while it was read')
      }
      return { partition, task, store: this.#viewOf(store, isolation), check }
    }
    const here = (): number[] => {
      const { manager } = this.#open(name)
      const tasks = allowStale === false ? [...manager.active.values()] : manager.all
      const found = tasks.filter(({ taskId }) => taskId.startsWith(`${id}_`)).map(({ partition }) => partition)
      if (found.length === 0) throw this.#nothingHere(name)
      return found.sort((a, b) => a - b)
    }
    const all = (): readonly LocalStore[] => (partitions ?? here()).map(at)
    const having = (key: unknown): Iterable<LocalStore> => {
      if (partitions !== undefined) return all()
      const partition = this.#partitionOf(spec, key, query.partitioner as KeyPartitioner<unknown> | undefined)
      if (partition === null) {
        if (here().length < this.partitionCount(name)!) throw this.#unknownPartition(name)
        return all()
      }
      const most = at(partition)
      if (query.partitioner !== undefined) return [most]
      // Who wrote the topic may have had a hash of its own, as some clients do: then it is in another of those that are here.
      const others = (): readonly StreamTask[] =>
        this.#open(name).manager.running.filter((task) => task !== most.task && task.taskId.startsWith(`${id}_`))
      return {
        *[Symbol.iterator]() {
          yield most
          for (const task of others()) yield at(task.partition)
        },
      }
    }
    return { all, having }
  }

  #task(name: string, partition: number, allowStale: StoreQuery<never, never>['allowStale']): StreamTask {
    const thread = this.#open(name)
    const { manager } = thread
    const count = this.partitionCount(name)!
    if (!Number.isInteger(partition) || partition < 0 || partition >= count) {
      throw new ArgumentError(
        'partitions',
        `the store "${name}" has the partitions 0 to ${count - 1}; got ${shown(partition)}`,
      )
    }
    const taskId = this.#taskId(name, partition)
    const active = manager.active.get(taskId)
    if (active !== undefined && isRunning(active, manager)) return active
    const stale = allowStale === false ? undefined : (active ?? manager.standby.get(taskId))
    if (stale === undefined || !stale.state.isOpen) {
      throw this.#elsewhere(name, partition, active === undefined ? 'is not here' : 'is being restored here')
    }
    if (typeof allowStale !== 'object') return stale
    const lag = thread.lag(stale)
    if (lag !== null && lag <= allowStale.maxLag) return stale
    const behind = lag === null ? 'is behind by a number of offsets that is not known yet' : `is ${lag} offsets behind`
    throw this.#elsewhere(name, partition, behind)
  }

  #viewOf(store: StateStore, isolation: Isolation): StateStore {
    let views = this.#views.get(store)
    if (views === undefined) this.#views.set(store, (views = new Map()))
    let view = views.get(isolation)
    if (view === undefined) views.set(isolation, (view = viewOf(store, isolation)))
    return view
  }

  /** null: it cannot be told from the key alone. */
  #partitionOf(spec: StoreSpec, key: unknown, partitioner: KeyPartitioner<unknown> | undefined): number | null {
    const thread = this.#open(spec.name)
    const group = this.#subtopology(spec.name)
    const widths = this.#widths(thread, group)
    const count = Math.max(...widths)
    if (partitioner !== undefined) {
      const chosen = partitioner(key, count)
      if (Number.isInteger(chosen) && chosen >= 0 && chosen < count) return chosen
      throw new ArgumentError(
        'partitioner',
        `the partitioner for the store "${spec.name}" chose ${shown(chosen)} of ${count}`,
      )
    }
    let router = this.#routers.get(spec.name)
    if (router === undefined) {
      router = { codec: new StoreCodec(spec), hasPartitioner: this.#hasPartitioner(group) }
      this.#routers.set(spec.name, router)
    }
    if (router.hasPartitioner || widths.some((width) => width !== count)) return null
    const bytes = Buffer.from(router.codec.keyString(key), 'latin1')
    const { partitionSuffixBytes = 0 } = spec.key as Serde<unknown> & { readonly partitionSuffixBytes?: number }
    return partitionForKey(bytes.subarray(0, bytes.length - partitionSuffixBytes), count)
  }

  #widths(thread: StreamThread, { id }: Subtopology): readonly number[] {
    const { inputTopics, partitionCounts } = thread.facts
    return inputTopics.get(id)!.map((topic) => partitionCounts.get(topic)!)
  }

  /** The topology itself sends records into its inputs by something else than their keys' hash. */
  #hasPartitioner({ sourceTopics }: Subtopology): boolean {
    const { topology, applicationId } = this.#options.config
    const nameOf = topicNames(topology, applicationId)
    // Answers of foreign-key joins go back to their rows, which is where these are.
    const isOfJoin = (topic: string): boolean => nameOf(topic) !== topic && !topic.endsWith('-repartition')
    return topology.nodes.some(
      (node) =>
        node.kind === 'sink' &&
        node.partitioner !== null &&
        typeof node.topic === 'string' &&
        sourceTopics.includes(node.topic) &&
        !isOfJoin(node.topic),
    )
  }

  #self(thread: StreamThread): InstanceInfo {
    return { processId: thread.processId, endpoint: this.#options.config.endpoint, isLocal: true }
  }

  #unknownPartition(name: string): ArgumentError {
    return new ArgumentError(
      'partitioner',
      `keys of the store "${name}" do not say in which partition they are: its records come by a partitioner, or from topics ` +
        'with different numbers of partitions. Give the query a partitioner, or partitions',
    )
  }

  #nothingHere(name: string): StoreNotAvailableError {
    const { id } = this.#subtopology(name)
    const having = this.#open(name).placements.filter(({ active }) => active.some((task) => task.startsWith(`${id}_`)))
    const where = having.length === 0 ? 'its tasks are on their way' : `it is on ${having.map(named).join(', ')}`
    return new StoreNotAvailableError(`no partition of the store "${name}" is here: ${where}`)
  }

  #elsewhere(name: string, partition: number, what: string): StoreNotAvailableError {
    const taskId = this.#taskId(name, partition)
    const thread = this.#open(name)
    const owner = thread.placements.find(({ active }) => active.includes(taskId))
    const isOther = owner !== undefined && owner.processId !== thread.processId
    const where = isOther ? `it is on ${named(owner)}` : 'try again'
    const endpoint = isOther ? owner.endpoint : null
    return new StoreNotAvailableError(`partition ${partition} of the store "${name}" ${what}: ${where}`, {
      partition,
      endpoint,
    })
  }
}

const info = ({ processId, endpoint }: Placement, thread: StreamThread): InstanceInfo => ({
  processId,
  endpoint,
  isLocal: processId === thread.processId,
})

const named = ({ endpoint, processId }: Placement): string => endpoint ?? `instance ${processId}, which has no endpoint`

const isRunning = (task: StreamTask, manager: StreamThread['manager']): boolean => manager.running.includes(task)

const phaseOf = ({ manager }: StreamThread, task: StreamTask): StoreLag['phase'] =>
  isRunning(task, manager) ? 'running' : manager.active.has(task.taskId) ? 'restoring' : 'standby'
