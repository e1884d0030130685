import type { CommittedOffset, LogReader } from '../broker/broker.ts'
import type { TopicPartition } from '../common/record.ts'
import { BrokerError, FencedError, StreamsError } from '../common/errors.ts'
import { type CommitGroupOptions, CommitGroup } from './commit-group.ts'
import { describeState, type StreamsDescription } from './describe-state.ts'
import { GlobalReader } from './global-reader.ts'
import { GlobalTask } from './global-task.ts'
import { changelogTopics, prepareTopics, type TopicFacts, topicNames } from './internal-topics.ts'
import { decodeOffsetMetadata } from './offset-metadata.ts'
import { type CommitGroupName, Producers } from './producers.ts'
import { ProcessingLoop } from './processing-loop.ts'
import type { Output } from './record-collector.ts'
import { restoreTasks, yieldToLoop } from './restorer.ts'
import { startPositions } from './start-positions.ts'
import { StateDirectory } from './state-directory.ts'
import { streamsConfig, type StreamsConfig, type StreamsOptions, type StreamsState } from './streams-config.ts'
import type { InputPosition } from './stream-task.ts'
import { TaskSet } from './task-set.ts'
import { Waker } from './waker.ts'
import { warnOfGeneratedNames } from './warn-of-names.ts'

type InputAt = TopicPartition & { readonly offset: number }

const retryDelaysMs = [100, 200, 500, 1000, 2000, 5000]

/**
 * Runs a topology on a log: Kafka Streams' `KafkaStreams`. One instance per application for now (D14): a second one with
 * the same `applicationId` takes over, and the first fails with `FENCED` and says so.
 *
 *   created → starting → restoring → running → closing → closed
 *                            ↑__________|                   every state but closed may lead to: failed
 *
 * After a transaction that was lost it goes back to restoring, drops what was not committed, and reads on from there.
 */
export class Streams {
  readonly #config: StreamsConfig
  #state: StreamsState = 'created'
  #directory: StateDirectory | null = null
  #facts: TopicFacts | null = null
  #tasks: TaskSet | null = null
  #global: GlobalTask | null = null
  #globalReader: GlobalReader | null = null
  #globalFailure: Error | null = null
  readonly #producers: Producers
  readonly #waker = new Waker()
  #reader: LogReader | null = null
  #loop: ProcessingLoop | null = null
  #running: Promise<void> = Promise.resolve()
  #persisting: Promise<void> = Promise.resolve()
  #isPersisting = false
  #lastPersistMs = 0
  /** Every task has read which keys its file had at the start. */
  #knowsKeys = false
  #lastPurgeMs = 0
  #failure: Error | null = null
  readonly #stopped = Promise.withResolvers<Error | null>()
  readonly #ready = Promise.withResolvers<void>()

  constructor(options: StreamsOptions) {
    this.#config = streamsConfig(options)
    const { broker, applicationId, guarantee } = this.#config
    this.#producers = new Producers(broker, applicationId, guarantee)
    this.#waker.onWake = () => this.#reader?.wakeup()
    this.#ready.promise.catch(() => undefined) // whoever waits in start() is told; nobody else has to listen
  }

  get state(): StreamsState {
    return this.#state
  }

  /** Resolves when it has stopped: with null after `close`, with the error that ended it otherwise. Never rejects. */
  get stopped(): Promise<Error | null> {
    return this.#stopped.promise
  }

  /**
   * Creates internal topics, restores state and begins to process. Resolves when it runs. Rejects with a ConfigError for
   * what the user has to mend; a broker that is away is waited for.
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
   * Finishes what is under way, commits, writes state to disk and lets go of everything. Safe to call twice. Asynchronous
   * calls get at most 5 s and no retry; what they leave undone is not committed, and read again at the next start.
   */
  async close(): Promise<void> {
    if (this.#state === 'created') this.#setState('closed')
    if (this.#state !== 'closed' && this.#state !== 'failed') this.#setState('closing')
    this.#loop?.stop()
    await this.#running
    if (this.#state === 'closed') this.#stopped.resolve(null)
  }

  /** What it is doing, as plain data: for a status page, a log line or a test. */
  describeState(): StreamsDescription {
    return describeState(this.#state, this.#config.applicationId, this.#tasks?.tasks ?? [], this.#failure)
  }

  async #run(): Promise<void> {
    try {
      let attempt = 0
      while (this.#isWanted()) {
        try {
          await this.#open()
          await this.#process(() => (attempt = 0))
          break
        } catch (error) {
          if (!isRecoverable(error) || !this.#isWanted()) throw error
          const delayMs = retryDelaysMs[Math.min(attempt++, retryDelaysMs.length - 1)]!
          const { logger, clock } = this.#config
          logger.warn(
            { event: 'streams.recovering', error: (error as Error).message, delayMs },
            'what was not committed is dropped; going on from the last commit',
          )
          await this.#dropUncommitted()
          await clock.sleep(delayMs)
        }
      }
      await this.#persist()
      await this.#release()
      this.#setState('closed')
      this.#ready.reject(new StreamsError('ILLEGAL_STATE', 'closed before it was running'))
      this.#stopped.resolve(null)
    } catch (error) {
      await this.#fail(explain(error, this.#config.applicationId))
    }
  }

  /** Steps that are done once, and again where a failure interrupted them. */
  async #open(): Promise<void> {
    const { topology, applicationId, broker, stateDir } = this.#config
    this.#directory ??= new StateDirectory(stateDir, applicationId)
    this.#facts ??= await prepareTopics(topology, applicationId, broker.admin)
    await this.#openGlobal()
    this.#tasks ??= new TaskSet(this.#config, this.#facts, {
      statePath: this.#directory.path,
      outputOf: (group) => this.#output(group),
      globalStore: (name) => this.#global?.store(name),
      wake: () => this.#waker.wake(),
    })
    await this.#producers.open(this.#tasks.groups.keys())
  }

  /** Tables that every instance holds as a whole are complete before anything is joined with them. */
  async #openGlobal(): Promise<void> {
    const { topology, applicationId, broker, handlers, clock, logger } = this.#config
    if (topology.globalStores.length === 0 || this.#global !== null) return
    const nowMs = (): number => clock.nowMs()
    const task = new GlobalTask({ applicationId, topology, stateDirectory: null, handlers, nowMs })
    const reader = new GlobalReader({
      broker,
      task,
      partitionCount: (topic) => this.#facts!.partitionCounts.get(topic)!,
      logger,
      onFailure: (error) => {
        this.#globalFailure = error
        this.#loop?.stop()
      },
    })
    try {
      await reader.start()
    } catch (error) {
      await reader.close()
      throw error
    }
    this.#globalReader = reader
    this.#global = task
  }

  async #process(onRunning: () => void): Promise<void> {
    const { broker, applicationId, clock, logger } = this.#config
    const tasks = this.#tasks!
    this.#setState('restoring')
    this.#knowsKeys = false
    // In this order: the restore's target must not be older than the input positions (KAFKA-10167).
    const committed = await broker.admin.committedOffsets(applicationId, tasks.inputs, { requireStable: true })
    const clusterId = await broker.admin.clusterId()
    const topicId = (topic: string): string => this.#facts!.topicIds.get(topic) ?? ''
    const changelogTopic = changelogTopics(this.#config.topology, applicationId)
    const { topology } = this.#config
    const positions = await startPositions(broker.admin, topology, topicNames(topology, applicationId), committed)
    const { onRestoreProgress: onProgress } = this.#config
    await restoreTasks(tasks.tasks, {
      broker,
      clusterId,
      topicId,
      changelogTopic,
      sourcePosition: this.#sourcePositions(positions),
      logger,
      nowMs: () => clock.nowMs(),
      onProgress,
    })
    this.#initialiseTasks(tasks, positions, committed)
    this.#reader = broker.openReader({
      isolation: this.#config.guarantee === 'exactly-once' ? 'read_committed' : 'read_uncommitted',
    })
    this.#reader.assign(positions)
    const commitOptions = this.#commitOptions(clusterId, topicId, changelogTopic)
    const groups = [...tasks.groups].map(
      ([name, members]) => new CommitGroup(members, this.#producers.of(name), commitOptions),
    )
    this.#loop = new ProcessingLoop({
      tasks,
      reader: this.#reader,
      groups,
      clock,
      commitIntervalMs: this.#config.commitIntervalMs,
      afterRound: (isIdle) => this.#afterRound(isIdle),
    })
    if (!this.#isWanted()) return
    this.#setState('running')
    onRunning()
    this.#ready.resolve()
    await this.#loop.run()
    if (this.#globalFailure !== null) throw this.#globalFailure
  }

  #initialiseTasks(tasks: TaskSet, positions: readonly InputAt[], committed: readonly CommittedOffset[]): void {
    for (const task of tasks.tasks) {
      const inputs = new Map<string, InputPosition>()
      const numbers = new Map<string, number>()
      for (const [i, { topic, partition, offset }] of positions.entries()) {
        if (tasks.readerOf(topic, partition) !== task) continue
        const metadata = decodeOffsetMetadata(committed[i]!.metadata)
        inputs.set(topic, { offset, partitionTimeMs: metadata.partitionTimeMs })
        for (const [name, value] of metadata.numbers) numbers.set(name, Math.max(value, numbers.get(name) ?? value))
      }
      task.initialise(inputs, numbers)
    }
  }

  /** Where the input stands that a store's changelog is, for stores of which that is so. */
  #sourcePositions(positions: readonly InputAt[]): (store: string, partition: number) => number | undefined {
    const { topology, applicationId } = this.#config
    const nameOf = topicNames(topology, applicationId)
    return (store, partition) => {
      const source = topology.sourceChangelogs.get(store)
      if (source === undefined) return undefined
      return positions.find((at) => at.topic === nameOf(source) && at.partition === partition)?.offset
    }
  }

  #commitOptions(
    clusterId: string,
    topicId: (topic: string) => string,
    changelogTopic: (store: string) => string | undefined,
  ): CommitGroupOptions {
    const { applicationId, guarantee, broker, clock, onCommitStep } = this.#config
    return {
      groupId: applicationId,
      guarantee,
      admin: broker.admin,
      clusterId,
      topicId,
      changelogTopic,
      nowMs: () => clock.nowMs(),
      nextWake: () => this.#waker.next(),
      wake: () => this.#waker.wake(),
      sleep: (delayMs, signal) => clock.sleep(delayMs, signal),
      onStep: onCommitStep,
    }
  }

  #output(group: CommitGroupName): Output {
    return {
      append: (topic, partition, key, value, timestampMs, headers) =>
        this.#producers.of(group).append(topic, partition, key, value, timestampMs, headers),
      partitionCount: (topic) => this.#facts!.partitionCounts.get(topic)!,
    }
  }

  async #afterRound(isIdle: boolean): Promise<void> {
    const { clock, persistIntervalMs, repartitionPurgeIntervalMs, logger } = this.#config
    const nowMs = clock.nowMs()
    if (nowMs - this.#lastPersistMs >= persistIntervalMs && !this.#isPersisting) {
      this.#lastPersistMs = nowMs
      this.#persisting = this.#persist().catch((error: unknown) => {
        logger.error({ event: 'state.persist-failed', error: String(error) }, 'state could not be written to disk')
      })
    }
    if (nowMs - this.#lastPurgeMs >= repartitionPurgeIntervalMs) {
      this.#lastPurgeMs = nowMs
      this.#purgeRepartitionTopics()
    }
    if (isIdle && !this.#isPersisting) for (const task of this.#tasks!.tasks) task.state.checkpointIfDue()
    // A slice per round, busy or not: until then every new key costs a read from disk.
    if (!this.#knowsKeys) this.#knowsKeys = this.#tasks!.tasks.every((task) => task.state.learnKeys())
  }

  async #persist(): Promise<void> {
    await this.#persisting
    this.#isPersisting = true
    try {
      for (const task of this.#tasks?.tasks ?? []) await task.state.persist(yieldToLoop)
    } finally {
      this.#isPersisting = false
    }
  }

  /** What every task has committed past is not needed any more. Nobody waits for it, and a failure only delays it. */
  #purgeRepartitionTopics(): void {
    const { topology, applicationId, broker, logger } = this.#config
    const internal = new Set(topology.repartitionTopics.map(({ name }) => `${applicationId}-${name}`))
    const before = this.#tasks!.tasks.flatMap((task) => [...task.queues])
      .filter((queue) => internal.has(queue.topic) && queue.committed > 0)
      .map(({ topic, partition, committed }) => ({ topic, partition, offset: committed }))
    if (before.length === 0) return
    broker.admin.deleteRecords(before).catch((error: unknown) => {
      logger.warn({ event: 'repartition.purge-failed', error: String(error) }, 'repartition topics were not purged')
    })
  }

  async #dropUncommitted(): Promise<void> {
    await this.#persisting
    await this.#closeReader()
    for (const task of this.#tasks?.tasks ?? []) task.reset()
    await this.#producers.abort()
  }

  async #closeReader(): Promise<void> {
    await this.#reader?.close()
    this.#reader = null
    this.#loop = null
  }

  async #release(): Promise<void> {
    await this.#closeReader()
    await this.#globalReader?.close()
    await this.#persisting
    for (const task of this.#tasks?.tasks ?? []) task.close()
    this.#global?.close()
    await this.#producers.close()
    this.#directory?.close()
    this.#directory = null
  }

  async #fail(error: Error): Promise<void> {
    this.#failure = error
    this.#config.logger.error({ event: 'streams.failed', error: error.message }, 'the application has stopped')
    this.#setState('failed')
    try {
      await this.#release()
    } catch (releaseError) {
      this.#config.logger.warn({ error: String(releaseError) }, 'closing after the failure did not go well')
    }
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
    this.#config.onStateChange(state, previous)
  }
}

/** What dropping the transaction and reading on can mend. */
function isRecoverable(error: unknown): boolean {
  if (error instanceof FencedError || !(error instanceof BrokerError)) return false
  return error.retryable || error.code === 'TRANSACTION_ABORTABLE' || error.code === 'DELIVERY_UNCONFIRMED'
}

function explain(error: unknown, applicationId: string): Error {
  if (!(error instanceof FencedError)) return error as Error
  return new FencedError(
    `another instance of "${applicationId}" has started and took over; this one has stopped. ` +
      'One instance per application id can run: give the other its own applicationId, or leave it alone',
    { cause: error },
  )
}
