import { StreamsError } from '../common/errors.ts'
import { closeAll } from './close-all.ts'
import { describeState, type StreamsDescription } from './describe-state.ts'
import type { GlobalReader } from './global-reader.ts'
import type { GlobalTask } from './global-task.ts'
import { prepareTopics, type TopicFacts } from './internal-topics.ts'
import type { QueryKind, ReadOnlyStores } from '../queries/read-only-stores.ts'
import type { KeyMetadata, KeyPartitioner, StoreLag, StoreMetadata, StoreQuery } from '../queries/store-query.ts'
import { Queries } from './queries.ts'
import type { MetricsSource } from './metric-readers.ts'
import { openGlobal } from './open-global.ts'
import { StateDirectory } from './state-directory.ts'
import { checkStateManifest } from './state-manifest.ts'
import { StreamThread } from './stream-thread.ts'
import {
  type Seams,
  streamsConfig,
  type StreamsConfig,
  type StreamsOptions,
  type StreamsState,
} from './streams-config.ts'
import { ThreadMetrics } from './thread-metrics.ts'
import { askAboutUncaught, ReplacementDelays } from './uncaught-error.ts'
import { warnOfGeneratedNames } from './warn-of-names.ts'

/**
 * Runs a topology on a log: Kafka Streams' `KafkaStreams`. Instances with the same `applicationId` share its tasks; each
 * has a `stateDir` of its own.
 *
 *   created → starting → restoring ⇄ running → closing → closed
 *                                               every state but closed may lead to: failed
 *
 * It is restoring while it is not yet a member of its group, or a task it was given has not all of its state. After a
 * transaction that was lost it is so again: it drops what was not committed, and reads on from there; and while what ran is
 * replaced after an error, if `uncaughtErrorHandler` says so.
 */
export class Streams {
  readonly #config: StreamsConfig
  /** @internal For the query router. */
  readonly queries: Queries
  #state: StreamsState = 'created'
  #directory: StateDirectory | null = null
  #thread: StreamThread | null = null
  #global: GlobalTask | null = null
  #globalReader: GlobalReader | null = null
  #isPaused = false
  #running: Promise<void> = Promise.resolve()
  #failure: Error | null = null
  /** Ends waits when it is to close. */
  readonly #closing = new AbortController()
  readonly #metrics: ThreadMetrics
  #globalFailure: Error | null = null
  readonly #stopped = Promise.withResolvers<Error | null>()
  readonly #ready = Promise.withResolvers<void>()

  /** @internal `seams` is for simulation. */
  constructor(options: StreamsOptions, seams: Seams = {}) {
    this.#config = streamsConfig(options, seams)
    this.#metrics = new ThreadMetrics(this.#config)
    this.queries = new Queries({
      config: this.#config,
      state: () => this.#state,
      thread: () => this.#thread,
      globalStore: (name) => this.#global?.store(name),
    })
    this.#ready.promise.catch(() => undefined) // whoever waits in start() is told; nobody else has to listen
  }

  get state(): StreamsState {
    return this.#state
  }

  /** Resolves when it has stopped: with null after `close`, with the error that ended it otherwise. Never rejects. */
  get stopped(): Promise<Error | null> {
    return this.#stopped.promise
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  /**
   * Creates internal topics, joins the group, restores state and begins to process. Resolves when it runs what it was given.
   * Rejects with a ConfigError for what the user has to mend; a broker that is away is waited for.
   */
  async start(): Promise<void> {
    if (this.#state !== 'created')
      throw new StreamsError('ILLEGAL_STATE', `start() on an instance that is ${this.#state}`)
    warnOfGeneratedNames(this.#config.topology, this.#config.logger)
    this.#setState('starting')
    this.#running = this.#run()
    await this.#ready.promise
  }

  /**
   * Finishes what is under way, commits, leaves the group, writes state to disk and lets go of everything. Safe to call
   * twice. Asynchronous calls get at most 5 s and no retry; what they leave undone is not committed, and read again by
   * whoever gets the task next.
   *
   * Resolves with false when it has not come to its end after `timeoutMs` (default 30 s), with a broker that does not answer
   * for instance: what is left goes on by itself, and what it did not commit is done again by whoever gets the tasks.
   */
  async close({ timeoutMs = 30_000 }: { readonly timeoutMs?: number } = {}): Promise<boolean> {
    if (this.#state === 'created') this.#setState('closed')
    if (this.#state !== 'closed' && this.#state !== 'failed') this.#setState('closing')
    this.#closing.abort()
    this.#thread?.stop()
    this.#globalReader?.stop()
    const inTime = new AbortController()
    const late = this.#config.clock.sleep(timeoutMs, inTime.signal).then(() => false)
    const isClosed = await Promise.race([this.#running.then(() => true), late])
    inTime.abort()
    if (this.#state === 'closed') this.#stopped.resolve(null)
    if (!isClosed) {
      const { logger } = this.#config
      logger.warn(
        { event: 'streams.close-late', timeoutMs },
        'it did not close in time: what is left goes on by itself',
      )
    }
    return isClosed
  }

  /**
   * Deletes the local state of the application in `stateDir`, so that the next start restores everything: before `start`, or after
   * it has ended. What is in the log stays: see `stream-core reset` for that.
   */
  cleanUp(): void {
    if (this.#state !== 'created' && this.#state !== 'closed' && this.#state !== 'failed') {
      throw new StreamsError(
        'ILLEGAL_STATE',
        `cleanUp() on an instance that is ${this.#state}: it needs its state; call it before start(), or after close()`,
      )
    }
    const { stateDir, applicationId } = this.#config
    StateDirectory.clean(stateDir, applicationId)
  }

  /** Takes no record until `resume`. It stays a member of its group, and keeps its tasks. May be called before `start`. */
  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    this.#thread?.wake()
  }

  /** @internal What metrics are read from. */
  get metricsSource(): MetricsSource {
    const { applicationId, topology, clock } = this.#config
    return {
      applicationId,
      topology,
      state: this.#state,
      nowMs: clock.nowMs(),
      thread: this.#thread,
      global: this.#global,
      config: this.#config,
      metrics: this.#metrics,
      failure: this.#failure,
    }
  }

  /** What it is doing, as plain data: for a status page, a log line or a test. */
  describeState(): StreamsDescription {
    return describeState(this.#state, this.#config.applicationId, this.#thread, this.#failure)
  }

  /**
   * Reads a store from outside the topology, over the partitions that this instance has; the answer can be kept, and asked
   * again and again:
   *
   *     const counts = streams.store('counts', { kind: 'keyValue', key: string(), value: int64() })
   *     counts.get('word')
   *
   * Reading throws a StoreNotAvailableError for what is not here, or not yet, and names who has it.
   */
  store<Kind extends QueryKind, K = unknown, V = unknown>(
    name: string,
    query: StoreQuery<K, V, Kind>,
  ): ReadOnlyStores<K, V>[Kind] {
    return this.queries.store(name, query)
  }

  /** Which instances have a key of a store. `partitioner`: how keys come to partitions, if not by Kafka's hash. */
  metadataForKey<K>(store: string, key: K, partitioner?: KeyPartitioner<K>): KeyMetadata {
    return this.queries.metadataForKey(store, key, partitioner)
  }

  /** Which instances have which partitions of a store. */
  metadataForStore(store: string): readonly StoreMetadata[] {
    return this.queries.metadataForStore(store)
  }

  /** How far what is here is behind the changelogs: of running tasks, of those that are being restored, of standbys. */
  allLocalStoreLags(): Promise<readonly StoreLag[]> {
    return this.queries.allLocalStoreLags()
  }

  async #run(): Promise<void> {
    try {
      this.#openDirectory()
      const delays = new ReplacementDelays()
      while (this.#isWanted()) {
        const thread = await this.#open()
        if (!this.#isWanted()) break
        this.#setState('restoring')
        if (await this.#runThread(thread, delays)) break
      }
      if (this.#failure === null) await this.#end()
      else await this.#fail(this.#failure)
    } catch (error) {
      if (this.#state === 'closing' && isRetryable(error)) await this.#end()
      else await this.#fail(error as Error)
    }
  }

  async #end(): Promise<void> {
    try {
      await this.#release()
      this.#setState('closed')
      this.#ready.reject(new StreamsError('ILLEGAL_STATE', 'closed before it was running'))
      this.#stopped.resolve(null)
    } catch (error) {
      await this.#fail(error as Error)
    }
  }

  /** True when it has come to its end, false if another is to take its place. Rejects with what ends the instance. */
  async #runThread(thread: StreamThread, delays: ReplacementDelays): Promise<boolean> {
    const { uncaughtErrorHandler, logger, clock } = this.#config
    const startMs = clock.nowMs()
    try {
      await thread.run()
      return true
    } catch (error) {
      if (!this.#isWanted()) throw error
      this.#metrics.failures++
      const response = askAboutUncaught(uncaughtErrorHandler, error as Error, logger)
      if (response === 'shut-down-application') await this.#shutDownApplication(thread, error as Error)
      if (response !== 'replace-thread') throw error
      const delayMs = delays.next(clock.nowMs() - startMs)
      const { message } = error as Error
      this.#metrics.timeline.note('failure', `what ran is replaced: ${message}`)
      logger.error({ event: 'streams.replacing', error: message, delayMs }, 'what ran is replaced after an error')
      this.#setState('restoring')
      await this.#releaseAfter(() => this.#releaseThread())
      this.#thread = this.#globalReader = this.#global = null
      await clock.sleep(delayMs, this.#closing.signal)
      return false
    }
  }

  async #shutDownApplication(thread: StreamThread, error: Error): Promise<void> {
    const { logger } = this.#config
    logger.error(
      { event: 'streams.shut-down', error: error.message },
      'all instances of the application are told to end',
    )
    try {
      if (await thread.shutDownApplication(`${thread.processId}: ${error.message}`.slice(0, 500))) return
      logger.warn({ event: 'streams.shut-down-late' }, 'not all instances have ended in time')
    } catch (failure) {
      logger.warn(
        { event: 'streams.shut-down-failed', error: String(failure) },
        'other instances could not be told to end',
      )
    }
  }

  /** Another instance has asked for the end of all: commits and closes, and says why. */
  #onShutdown(reason: string): void {
    this.#failure ??= new StreamsError(
      'APPLICATION_SHUT_DOWN',
      `an instance has ended the whole application: ${reason}`,
    )
    this.#thread?.stop()
  }

  #openDirectory(): void {
    const { topology, applicationId, stateDir } = this.#config
    this.#directory = new StateDirectory(stateDir, applicationId)
    if (checkStateManifest(this.#directory.path, topology)) {
      this.#config.logger.info({ event: 'state.layout-changed' }, 'rows lie differently now: state is restored')
      this.#directory.removeAll()
    }
  }

  async #open(): Promise<StreamThread> {
    const { topology, applicationId, broker, deadLetterTopic } = this.#config
    const refreshFacts = (): Promise<TopicFacts> =>
      prepareTopics(topology, applicationId, broker.admin, deadLetterTopic)
    const facts = await this.#patiently(refreshFacts)
    const clusterId = await this.#patiently(() => broker.admin.clusterId())
    await this.#openGlobal(facts, clusterId)
    this.#thread = new StreamThread({
      config: this.#config,
      directory: this.#directory!,
      clusterId,
      facts,
      refreshFacts,
      globalStore: (name) => this.#global?.store(name),
      onChange: () => this.#onChange(),
      isPaused: () => this.#isPaused,
      onShutdown: (reason) => this.#onShutdown(reason),
      metrics: this.#metrics,
    })
    this.#tellThread()
    return this.#thread
  }

  /** The thread ends for it, also if it came before there was one. */
  #tellThread(): void {
    if (this.#thread === null || this.#globalFailure === null) return
    this.#thread.failure = this.#globalFailure
    this.#thread.wake()
  }

  /** A broker that is away is waited for. */
  async #patiently<T>(ask: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await ask()
      } catch (error) {
        if (!isRetryable(error) || !this.#isWanted()) throw error
        const { logger, clock } = this.#config
        logger.warn({ event: 'streams.waiting', error: (error as Error).message }, 'the log is not there; trying again')
        await clock.sleep(1000)
      }
    }
  }

  /** Tables that every instance holds as a whole are complete before anything is joined with them. */
  async #openGlobal(facts: TopicFacts, clusterId: string): Promise<void> {
    this.#globalFailure = null
    if (this.#config.topology.globalStores.length === 0) return
    const { task, reader } = await this.#patiently(() =>
      openGlobal(this.#config, this.#directory!.global, { facts, clusterId }, (error) => {
        this.#globalFailure = error
        this.#tellThread()
      }),
    )
    this.#globalReader = reader
    this.#global = task
    if (this.#isWanted()) await this.#patiently(() => reader.start())
  }

  #onChange(): void {
    if (this.#thread === null || !this.#isWanted()) return
    const isRunning = this.#thread.isRunning
    this.#setState(isRunning ? 'running' : 'restoring')
    if (isRunning) this.#ready.resolve()
  }

  async #release(): Promise<void> {
    const directory = this.#directory
    this.#directory = null
    await closeAll([() => this.#releaseThread(), () => directory?.close()])
  }

  #releaseThread(): Promise<void> {
    return closeAll([() => this.#thread?.close(), () => this.#globalReader?.close(), () => this.#global?.close()])
  }

  async #releaseAfter(release: () => Promise<void>): Promise<void> {
    try {
      await release()
    } catch (error) {
      this.#config.logger.warn({ error: String(error) }, 'closing after the failure did not go well')
    }
  }

  async #fail(error: Error): Promise<void> {
    this.#failure = error
    this.#metrics.timeline.note('failure', error.message)
    this.#config.logger.error({ event: 'streams.failed', error: error.message }, 'the application has stopped')
    this.#setState('failed')
    await this.#releaseAfter(() => this.#release())
    this.#ready.reject(error)
    this.#stopped.resolve(error)
  }

  #isWanted(): boolean {
    return this.#state !== 'closing' && this.#state !== 'closed' && this.#state !== 'failed'
  }

  #setState(state: StreamsState): void {
    const previous = this.#state
    // A close that came meanwhile wins over the progress of the start.
    if (previous === state || (previous === 'closing' && state !== 'closed' && state !== 'failed')) return
    this.#state = state
    this.#metrics.timeline.note('state', `${previous} → ${state}`)
    this.#config.onStateChange(state, previous)
  }
}

const isRetryable = (error: unknown): boolean => (error as { readonly retryable?: unknown }).retryable === true
