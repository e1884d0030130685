import type { LogReader } from '../broker/broker.ts'
import type { Placement } from '../assignment/user-data.ts'
import { isDue } from '../common/clock.ts'
import { FencedError, MemberLostError, OffsetOutOfRangeError } from '../common/errors.ts'
import { partitionKey } from '../common/record.ts'
import type { StateStore } from '../state/state-store.ts'
import { closeAll } from './close-all.ts'
import { CommitGroup } from './commit-group.ts'
import { takeBackAll } from './cut-inputs.ts'
import { DropReport } from './drop-report.ts'
import type { CatchUp } from './following.ts'
import { GroupSession } from './group-session.ts'
import { changelogTopics, type TopicFacts } from './internal-topics.ts'
import { isMendable } from './mendable.ts'
import { ProcessingLoop } from './processing-loop.ts'
import { type CommitGroupName, Producers } from './producers.ts'
import { purgeRepartitionTopics } from './purge-repartitions.ts'
import type { Output } from './record-collector.ts'
import type { RecordQueue } from './record-queue.ts'
import type { StateDirectory } from './state-directory.ts'
import { type RestoredTask, StateUpdater } from './state-updater.ts'
import { StateWriter } from './state-writer.ts'
import type { StreamTask } from './stream-task.ts'
import type { StreamsConfig } from './streams-config.ts'
import { TaskManager } from './task-manager.ts'
import type { ThreadMetrics } from './thread-metrics.ts'
import { TimeAlignment } from './time-alignment.ts'
import { topologyHash } from './topology-hash.ts'
import { Waker } from './waker.ts'

export interface StreamThreadOptions {
  readonly config: StreamsConfig
  readonly directory: StateDirectory
  readonly clusterId: string
  readonly facts: TopicFacts
  /** Looks at the topics again. */
  readonly refreshFacts: () => Promise<TopicFacts>
  readonly globalStore: (name: string) => StateStore | undefined
  /** Tasks came, went, or began to run. */
  readonly onChange: () => void
  readonly isPaused: () => boolean
  /** Another instance has asked for the end of the application. */
  readonly onShutdown: (reason: string) => void
  readonly metrics: ThreadMetrics
}

const retryDelaysMs = [0, 100, 200, 500, 1000, 2000, 5000]
const cleanupEveryMs = 60_000
const reportEveryMs = 10_000

/**
 * Everything that processes in an instance: a member of the group, tasks, readers, producers, and the loop that drives them
 * (Kafka Streams' StreamThread). What goes wrong and can be mended is mended here:
 *
 *   a transaction that was lost   → drop what was not committed, restore from the log, go on from the last commit
 *   the group went on without us  → the same, and give up all tasks; join again
 */
export class StreamThread {
  readonly #options: StreamThreadOptions
  readonly #reader: LogReader
  readonly #producers: Producers
  readonly #waker = new Waker()
  readonly metrics: ThreadMetrics
  readonly #groups: ReadonlyMap<CommitGroupName, CommitGroup>
  readonly manager: TaskManager
  readonly session: GroupSession
  readonly #loop: ProcessingLoop
  #updater: StateUpdater
  #facts: TopicFacts
  readonly #restored: RestoredTask[] = []
  #updaterFailure: Error | null = null
  #isStopping = false
  #attempt = 0
  #lastPurgeMs = 0
  #lastReportMs = 0
  readonly #drops: DropReport
  #lastCleanupMs: number
  readonly #writer: StateWriter
  /** Tasks that have read which keys their files had at the start. */
  readonly #knowKeys = new WeakSet<StreamTask>()
  /** What else ends it: noted from outside, thrown in the loop. */
  failure: Error | null = null

  constructor(options: StreamThreadOptions) {
    this.#options = options
    this.#facts = options.facts
    this.metrics = options.metrics
    this.#drops = new DropReport(options.config.logger)
    const { config, directory, globalStore } = options
    const { broker, applicationId, topology, guarantee, clock, logger } = config
    const isExactlyOnce = guarantee === 'exactly-once'
    this.#lastCleanupMs = clock.nowMs()
    const { inputIsolation = 'read_committed' } = config.seams
    this.#reader = broker.openReader({ isolation: isExactlyOnce ? inputIsolation : 'read_uncommitted' })
    this.#waker.onWake = () => this.#reader.wakeup()
    const wake = (): void => this.#waker.wake()
    this.#producers = new Producers(broker, isExactlyOnce ? `${applicationId}-${directory.processId}` : '')
    this.#groups = new Map(this.#groupNames().map((name) => [name, this.#commitGroup(name)]))
    this.manager = new TaskManager({
      config,
      facts: () => this.#facts,
      statePath: directory.path,
      outputOf: (group, subtopology) => this.#output(group, subtopology),
      globalStore,
      storeTimes: this.metrics.stores,
      wake,
      reader: this.#reader,
      groups: this.#groups,
      onClosed: (task) => this.session.noteClosed(task),
    })
    this.#writer = new StateWriter({ config, tasks: () => this.manager.all, metrics: this.metrics })
    this.#updater = this.#openUpdater()
    this.#loop = new ProcessingLoop({
      tasks: this.manager,
      reader: this.#reader,
      groups: [...this.#groups.values()],
      alignment: new TimeAlignment({ reader: this.#reader, ...config }),
      clock,
      commitIntervalMs: config.commitIntervalMs,
      metrics: this.metrics,
      readsCommitted: isExactlyOnce,
      isPaused: options.isPaused,
      beforeRound: () => this.#beforeRound(),
      afterRound: (isIdle) => this.#afterRound(isIdle),
    })
    this.session = new GroupSession({
      ...config,
      directory,
      topologyHash: topologyHash(topology),
      isExactlyOnce,
      manager: this.manager,
      updater: () => this.#updater,
      facts: () => this.#facts,
      refreshFacts: async () => (this.#facts = await options.refreshFacts()),
      commit: () => this.#loop.commit(),
      wake,
      onRebalanced: (rebalance) => {
        this.metrics.noteRebalance(rebalance, clock.nowMs(), this.placements)
        config.listeners.rebalance.onAssigned?.(rebalance)
        options.onChange()
      },
      onShutdown: options.onShutdown,
      nowMs: () => clock.nowMs(),
      sleep: (delayMs) => clock.sleep(delayMs),
      logger,
    })
  }

  /** What is known of the topics. */
  get facts(): TopicFacts {
    return this.#facts
  }

  /** Who this instance is. */
  get processId(): string {
    return this.#options.directory.processId
  }

  get placements(): readonly Placement[] {
    return this.session.placements
  }

  /** It is a member of its group, and every task it was given processes. */
  get isRunning(): boolean {
    return this.session.generationId >= 0 && !this.manager.isRestoring
  }

  /** Offsets that an input has still to be read, by the log's last answer; null: not known yet. */
  inputLag(queue: RecordQueue): number | null {
    const end = this.metrics.ends.get(partitionKey(queue.topic, queue.partition))
    const left = this.#reader.remaining(queue)
    if (end === undefined) return left < 0 ? null : left
    return Math.max(0, end - queue.committable, left)
  }

  lag(task: StreamTask): number | null {
    return this.#updater.lag(task)
  }

  /** Of a task that is restored or a standby; null: not known, or it runs. */
  catchUp(task: StreamTask): CatchUp | null {
    return this.#updater.catchUp(task)
  }

  stop(): void {
    this.#isStopping = true
    this.#loop.stop()
  }

  wake(): void {
    this.#waker.wake()
  }

  /** Runs until `stop`, which commits; rejects with what cannot be mended. */
  async run(): Promise<void> {
    for (;;) {
      try {
        await this.#producers.open(this.#groups.keys())
        await this.#loop.run()
        return
      } catch (error) {
        if (!isMendable(error) || this.failure !== null) throw error
        if (this.#isStopping) return this.#leaveUndone(error as Error)
        await this.#mend(error as Error)
      }
    }
  }

  /** After a failure: what was not committed is given up, and all instances are told to end. */
  async shutDownApplication(reason: string): Promise<boolean> {
    await this.#producers.abort()
    return this.session.shutDownApplication(reason, this.#options.config.rebalanceTimeoutMs)
  }

  /** Leaves the group, so that others take over at once, and lets go of everything. */
  async close(): Promise<void> {
    this.#drops.tell(this.manager.running)
    await closeAll([
      () => this.session.leave(),
      () => this.#updater.close(),
      () => this.#writer.settled,
      () => this.manager.close(),
      () => this.#producers.close(),
      () => this.#reader.close(),
    ])
  }

  /** The last commit has failed: whoever gets the tasks next does again what is not committed. */
  #leaveUndone(error: Error): void {
    this.#options.config.logger.warn(
      { event: 'streams.closed-uncommitted', error: error.message },
      'the last commit before the close failed: what it would have committed is done again by whoever gets the tasks next',
    )
  }

  async #mend(error: Error): Promise<void> {
    const { config } = this.#options
    const { clock, logger } = config
    const isLost = error instanceof MemberLostError || error instanceof FencedError
    // Joining again helps at once; if it does not, it is not tried without a pause.
    const delayMs = retryDelaysMs[Math.min(isLost ? this.#attempt : this.#attempt + 1, retryDelaysMs.length - 1)]!
    this.#attempt++
    logger.warn(
      { event: isLost ? 'streams.lost' : 'streams.recovering', error: error.message, delayMs },
      'what was not committed is dropped; going on from the last commit',
    )
    await this.#updater.close()
    await this.#writer.settled
    this.#restored.length = 0
    this.#updaterFailure = null
    await this.#producers.abort()
    if (error instanceof OffsetOutOfRangeError) {
      await takeBackAll(error, this.#reader, config, {
        asMember: (commit) => this.session.asMember(commit),
        isWanted: () => !this.#isStopping,
      })
    }
    this.metrics.noteRecovery(error, config.guarantee)
    if (isLost) {
      const active = [...this.manager.active.keys()]
      await this.manager.lose()
      config.listeners.rebalance.onLost?.({ active, error })
    }
    this.#updater = this.#openUpdater()
    this.manager.rewind(this.#updater)
    if (isLost) this.session.rejoin()
    this.#options.onChange()
    await clock.sleep(delayMs)
  }

  async #beforeRound(): Promise<void> {
    if (this.failure !== null) throw this.failure
    if (this.#updaterFailure !== null) throw this.#updaterFailure
    await this.session.step()
    if (this.#restored.length === 0) return
    for (const restored of this.#restored.splice(0)) {
      if (this.manager.active.get(restored.task.taskId) === restored.task) this.manager.run(restored)
    }
    if (this.isRunning) this.#attempt = 0
    this.#options.onChange()
  }

  #openUpdater(): StateUpdater {
    const { config, clusterId } = this.#options
    return new StateUpdater({
      ...config,
      clusterId,
      inputsOf: this.manager.inputsOf,
      metrics: this.metrics,
      onRestored: (restored) => {
        this.#restored.push(restored)
        this.#waker.wake()
      },
      onFailure: (error) => {
        this.#updaterFailure = error
        this.#waker.wake()
      },
    })
  }

  #groupNames(): CommitGroupName[] {
    const tasks = this.#options.config.topology.subtopologies.filter(({ isGlobal }) => !isGlobal)
    return (['main', 'async'] as const).filter((name) => tasks.some(({ isAsync }) => isAsync === (name === 'async')))
  }

  #commitGroup(name: CommitGroupName): CommitGroup {
    const { config, clusterId } = this.#options
    const { applicationId, topology, guarantee, lingerMs, clock, onCommitStep } = config
    return new CommitGroup({
      name,
      asMember: (commit) => this.session.asMember(commit),
      producer: () => this.#producers.of(name),
      guarantee,
      lingerMs,
      clusterId,
      changelogTopic: changelogTopics(topology, applicationId),
      nowMs: () => clock.nowMs(),
      nextWake: () => this.#waker.next(),
      wake: () => this.#waker.wake(),
      sleep: (delayMs, signal) => clock.sleep(delayMs, signal),
      onStep: onCommitStep,
      seams: config.seams,
    })
  }

  #output(group: CommitGroupName, subtopology: number): Output {
    const produced = this.metrics.producedBy(subtopology)
    return {
      append: (topic, partition, key, value, timestampMs, headers, onRefused) => {
        produced.records++
        this.#producers.of(group).append(topic, partition, key, value, timestampMs, headers, undefined, onRefused)
      },
      partitionCount: (topic) => this.#facts.partitionCounts.get(topic)!,
    }
  }

  async #afterRound(isIdle: boolean): Promise<void> {
    const { clock, repartitionPurgeIntervalMs } = this.#options.config
    const nowMs = clock.nowMs()
    this.#writer.afterRound(nowMs, isIdle)
    if (isDue(nowMs, this.#lastPurgeMs, repartitionPurgeIntervalMs)) {
      this.#lastPurgeMs = nowMs
      purgeRepartitionTopics(this.#options.config, this.manager.running)
    }
    if (isDue(nowMs, this.#lastReportMs, reportEveryMs)) {
      this.#lastReportMs = nowMs
      this.#drops.tell(this.manager.running)
    }
    if (isDue(nowMs, this.#lastCleanupMs, cleanupEveryMs)) {
      this.#lastCleanupMs = nowMs
      this.#cleanUp(nowMs)
    }
    // A slice per round, busy or not: until then every new key costs a read from disk.
    for (const task of this.manager.running) {
      if (this.#knowKeys.has(task)) continue
      if (task.state.learnKeys()) this.#knowKeys.add(task)
      break
    }
  }

  /** State of tasks that have been elsewhere for long is deleted: it would have to be restored from far behind. */
  #cleanUp(nowMs: number): void {
    const { directory, config } = this.#options
    for (const id of directory.taskIds()) {
      if (this.manager.active.has(id) || this.manager.standby.has(id)) continue
      if (!directory.removeIfOlder(id, nowMs, config.stateCleanupDelayMs)) continue
      this.session.noteDeleted(id)
      config.logger.info({ event: 'state.cleaned', task: id }, 'state of a task that is not here any more was deleted')
    }
  }
}
