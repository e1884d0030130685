import type { Broker, CommittedOffset, FetchedPartition, LogReader, ReadFrom } from '../broker/broker.ts'
import { BrokerError, OffsetOutOfRangeError } from '../common/errors.ts'
import { Announcer, type AnnouncerOptions } from './announcer.ts'
import { type Clock, isDue } from '../common/clock.ts'
import { partitionKey, type TopicPartition } from '../common/record.ts'
import type { Topology } from '../topology/topology.ts'
import { mistrust, patienceMs } from './changelog-trust.ts'
import {
  applySlice,
  beginFollowing,
  type CatchUp,
  catchUpOf,
  type Following,
  isComplete,
  notePosition,
  raiseLimits,
  readsFrom,
  suspectSilent,
  type TaskRole,
  whyNot,
} from './following.ts'
import { changelogTopics, topicNames } from './internal-topics.ts'
import { isRunDue, writeRest } from './restore-runs.ts'
import type { Seams } from './streams-config.ts'
import { startPositions } from './start-positions.ts'
import { yieldToLoop } from './yield-to-loop.ts'
import type { StreamTask } from './stream-task.ts'

const pollWaitMsMax = 500
/** Between two looks at how far a standby may follow a topic that is also read as input. */
const limitsEveryMs = 2000

/** A task whose state is complete, and from where its inputs are read. */
export interface RestoredTask {
  readonly task: StreamTask
  readonly positions: readonly ReadFrom[]
  readonly committed: readonly CommittedOffset[]
}

export interface StateUpdaterOptions extends AnnouncerOptions {
  readonly broker: Broker
  readonly applicationId: string
  readonly topology: Topology
  readonly clusterId: string
  readonly inputsOf: (task: StreamTask) => readonly TopicPartition[]
  readonly clock: Clock
  readonly seams: Seams
  /** Noted, and acted upon by the loop. */
  readonly onRestored: (restored: RestoredTask) => void
  readonly onFailure: (error: Error) => void
}

interface Entry {
  readonly task: StreamTask
  role: TaskRole
  followings: readonly Following[]
  /** From where the inputs are read; null until the log was asked, and for standbys. */
  start: RestoredTask | null
  isGone: boolean
  /** It is known how far behind it is. */
  isPrepared: boolean
  startedMs: number
}

/**
 * Brings state up to date beside the tasks that run (Kafka Streams' state updater; D13): tasks that were given to this
 * instance, until they are complete, and standbys for as long as they are here. For a task that is to run:
 *
 *   1. Ask from where its inputs are read, with requireStable.
 *   2. Decide per store where to begin: behind what is here, or at the log's start when that cannot be trusted. The target
 *      is the high watermark, asked for after step 1: markers reach partitions one by one, so a last stable offset may lag
 *      behind what is committed (KAFKA-10167).
 *   3. Read read_committed until the batch position reaches the target, straight into the committed layers.
 *   4. Tell the loop.
 */
export class StateUpdater {
  readonly #options: StateUpdaterOptions
  readonly #entries = new Map<StreamTask, Entry>()
  readonly #followings = new Map<string, Following>()
  readonly #reader: LogReader
  readonly #announcer: Announcer
  #pump: Promise<void> | null = null
  /** One after the other: a standby may be promoted before it was prepared. */
  #preparing: Promise<void> = Promise.resolve()
  #isClosed = false
  #lastLimitsMs = 0
  /** Never so long that waiting alone makes copies old. */
  #pollWaitMs = pollWaitMsMax
  isPaused = false

  constructor(options: StateUpdaterOptions) {
    this.#options = options
    this.#announcer = new Announcer(options)
    this.#reader = options.broker.openReader({ isolation: options.seams.restoreIsolation ?? 'read_committed' })
  }

  /** Tasks that are to run; those that are standbys here go on from where they are. */
  addActive(tasks: readonly StreamTask[]): void {
    this.#add(tasks, 'active')
  }

  addStandby(tasks: readonly StreamTask[]): void {
    this.#add(tasks, 'standby')
  }

  /** From here on the task is not touched. */
  remove(task: StreamTask): void {
    const entry = this.#entries.get(task)
    if (entry === undefined) return
    entry.isGone = true
    this.#entries.delete(task)
    this.#unfollow(entry.followings)
  }

  /** Offsets a task is behind its changelogs; null while that is not known. */
  lag(task: StreamTask): number | null {
    const entry = this.#entries.get(task)
    if (!entry?.isPrepared) return null
    let lag = 0
    for (const { topic, position, stopAt } of entry.followings) {
      const left = this.#reader.remaining({ topic, partition: task.partition })
      if (stopAt === Infinity && left < 0) return null
      lag += stopAt === Infinity ? left : Math.max(0, stopAt - position)
    }
    return lag
  }

  /** null while it is not known how far behind it is. */
  catchUp(task: StreamTask): CatchUp | null {
    const entry = this.#entries.get(task)
    return entry?.isPrepared ? catchUpOf(entry.followings, this.#options.clock.nowMs() - entry.startedMs) : null
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const entry of this.#entries.values()) {
      entry.isGone = true
      for (const following of entry.followings) this.#announcer.suspend(following)
    }
    this.#entries.clear()
    // What was asked may be answered late, or never: nobody waits for it, and it changes nothing any more.
    await this.#reader.close()
    await this.#pump
  }

  #add(tasks: readonly StreamTask[], role: TaskRole): void {
    if (tasks.length === 0) return
    const entries = tasks.map((task) => {
      const known = this.#entries.get(task)
      const startedMs = this.#options.clock.nowMs()
      const entry = known ?? { task, role, followings: [], start: null, isGone: false, isPrepared: false, startedMs }
      entry.role = role
      entry.startedMs = startedMs
      this.#entries.set(task, entry)
      return entry
    })
    this.#prepareLater(entries)
  }

  #prepareLater(entries: readonly Entry[]): void {
    this.#preparing = this.#preparing
      .then(() => this.#prepare(entries.filter(({ isGone }) => !isGone)))
      .catch((error: unknown) => {
        if (!this.#isClosed) this.#options.onFailure(error as Error)
      })
  }

  async #prepare(entries: readonly Entry[]): Promise<void> {
    if (entries.length === 0) return
    const { waitsForStableOffsets = true } = this.#options.seams
    const { broker, applicationId, topology, inputsOf, clock, logger } = this.#options
    // 1.
    const inputs = entries.flatMap(({ task }) => inputsOf(task))
    const isActive = entries[0]!.role === 'active'
    const committed = await broker.admin.committedOffsets(applicationId, inputs, {
      requireStable: isActive && waitsForStableOffsets,
    })
    const positions = isActive
      ? await startPositions(committed, {
          admin: broker.admin,
          topology,
          topicName: topicNames(topology, applicationId),
          nowMs: clock.nowMs(),
          onOutside: (text, where) => logger.warn({ event: 'input.outside-the-log', ...where }, text),
        })
      : committed
    // 2.
    for (const entry of entries) {
      if (entry.isGone) continue
      const isOwn = ({ topic, partition }: TopicPartition): boolean =>
        inputsOf(entry.task).some((own) => own.topic === topic && own.partition === partition)
      const own = positions.filter(isOwn)
      await this.#follow(entry, own)
      if (entry.isGone || !isActive) continue
      entry.start = { task: entry.task, positions: own, committed: committed.filter(isOwn) }
      await this.#finishIfComplete(entry)
    }
    this.#pump ??= this.#run().catch((error: unknown) => {
      if (!this.#isClosed) this.#options.onFailure(error as Error)
    })
  }

  async #follow(entry: Entry, inputs: readonly ReadFrom[]): Promise<void> {
    const { broker, clock, clusterId, logger, topology, applicationId, seams } = this.#options
    const { restoreTarget = 'latest', mistrustsState = true, completesState = true } = seams
    const { task } = entry
    const topicOf = changelogTopics(topology, applicationId)
    const logged = [...task.state.stores.keys()].flatMap((name) => {
      const topic = topicOf(name)
      return topic === undefined ? [] : [{ name, at: { topic, partition: task.partition } }]
    })
    const partitions = logged.map(({ at }) => at)
    const askedMs = clock.nowMs()
    const starts = await broker.admin.listOffsets(partitions, 'earliest')
    const ends = await broker.admin.listOffsets(partitions, restoreTarget)
    // Asked each time: a topic may have been made anew under its name.
    const topics = await broker.admin.describeTopics(partitions.map(({ topic }) => topic))
    if (entry.isGone) return
    const known = new Map(entry.followings.map((following) => [following.store.spec.name, following]))
    const facts = logged.map(({ at: { topic } }, i) => {
      return { topic, clusterId, topicId: topics.get(topic)?.topicId ?? '', start: starts[i]!, end: ends[i]! }
    })
    for (const [i, { name }] of logged.entries()) {
      if (known.has(name) || !mistrustsState) continue
      const why = mistrust(task.state.position(name), facts[i]!)
      if (why === null) continue
      logger.warn(
        { event: 'state.wiped', task: task.taskId, store: name, reason: why },
        `local state cannot be used: ${why}; it is restored from the changelog`,
      )
      this.#unfollow(entry.followings)
      known.clear()
      await task.state.wipe()
      break
    }
    if (entry.isGone) return
    entry.followings = logged.map(({ name, at }, i) => {
      const input = topology.sourceChangelogs.has(name) ? inputs.find(({ topic }) => topic === at.topic) : undefined
      const stopAt = input?.offset ?? (entry.role === 'active' ? ends[i]! : Infinity)
      const following = known.get(name)
      if (following !== undefined) {
        following.stopAt = Math.max(stopAt, following.position)
        return following
      }
      const store = task.state.stores.get(name)!
      this.#pollWaitMs = Math.min(this.#pollWaitMs, patienceMs(store) / 2)
      return beginFollowing(task, store, facts[i]!, { stopAt: Math.max(stopAt, 0), askedMs, seams })
    })
    if (!completesState) for (const following of entry.followings) following.stopAt = following.position
    entry.isPrepared = true
    for (const following of entry.followings) {
      const at = { topic: following.topic, partition: task.partition, offset: readsFrom(following) }
      const key = partitionKey(at.topic, at.partition)
      if (!this.#followings.has(key)) this.#reader.add([at])
      this.#followings.set(key, following)
      this.#announcer.begin(following, entry.role)
      this.#pauseIfDone(following)
    }
  }

  /** Reads and applies until closed; slices of it run between whatever else the process does. */
  async #run(): Promise<void> {
    while (!this.#isClosed) {
      let fetched: readonly FetchedPartition[]
      try {
        fetched = await this.#reader.poll(this.#pollWaitMs)
        await suspectSilent([...this.#followings.values()], this.#options, (at) => this.#endsOf(at))
      } catch (error) {
        if (error instanceof OffsetOutOfRangeError) await this.#startOver(error)
        else if (error instanceof BrokerError && error.retryable) await this.#options.clock.sleep(this.#pollWaitMs)
        else throw error
        continue
      }
      for (const { topic, partition, records } of fetched) {
        const following = this.#followings.get(partitionKey(topic, partition))
        while (following !== undefined && !following.isGone && !this.#isClosed) {
          const end = applySlice(following, records)
          if (end === 'done') break
          if (end === 'more') await yieldToLoop()
          else await this.#restart([following.task], whyNot[end])
        }
        if (following !== undefined && !following.isGone && !this.#isClosed) await this.#applied(following)
      }
      await this.#raiseLimits()
    }
  }

  async #applied(following: Following): Promise<void> {
    const { task, topic, position, stopAt } = following
    notePosition(following, this.#options.clusterId)
    const left = stopAt === Infinity ? this.#reader.remaining({ topic, partition: task.partition }) : stopAt - position
    this.#announcer.progress(following, stopAt === Infinity && left < 0 ? null : Math.max(0, left))
    this.#pauseIfDone(following)
    if (isRunDue(task.state, this.#entries.size)) {
      await task.state.persist(yieldToLoop)
      task.state.checkpointIfDue()
    }
    const entry = this.#entries.get(task)
    if (entry !== undefined) await this.#finishIfComplete(entry)
  }

  /** What lies behind is read again once more of it is wanted. */
  #pauseIfDone(following: Following): void {
    if (!isComplete(following)) return
    const { topic, task, position } = following
    const at = { topic, partition: task.partition }
    this.#reader.pause(at)
    this.#reader.seek(at, position)
  }

  async #finishIfComplete(entry: Entry): Promise<void> {
    const isWhole = (): boolean =>
      entry.role === 'active' && entry.start !== null && !entry.isGone && entry.followings.every(isComplete)
    if (isWhole()) await writeRest(entry.task, this.#options.logger)
    // Much may have happened meanwhile.
    if (!isWhole() || entry.start === null) return
    const { clock, clusterId, onRestored } = this.#options
    for (const following of entry.followings) {
      notePosition(following, clusterId)
      this.#announcer.complete(following)
    }
    const records = entry.followings.reduce((sum, { restoredRecords }) => sum + restoredRecords, 0)
    if (records > 0) this.#announcer.restored(entry.task.taskId, records, clock.nowMs() - entry.startedMs)
    this.remove(entry.task)
    onRestored(entry.start)
  }

  /** Asks until it is told: what was fetched meanwhile is not to be lost. */
  async #endsOf(partitions: readonly TopicPartition[]): Promise<readonly number[]> {
    for (;;) {
      try {
        return await this.#options.broker.admin.listOffsets(partitions, 'latest')
      } catch (error) {
        if (!(error instanceof BrokerError) || !error.retryable || this.#isClosed) throw error
        await this.#options.clock.sleep(this.#pollWaitMs)
      }
    }
  }

  /** Records were deleted that somebody still had to read, or were read and are gone: their tasks begin again. */
  async #startOver(told: OffsetOutOfRangeError): Promise<void> {
    const { admin } = this.#options.broker
    const all = [...this.#followings.values()]
    const at = all.map(({ topic, task }) => ({ topic, partition: task.partition }))
    const [starts, ends] = [await admin.listOffsets(at, 'earliest'), await admin.listOffsets(at, 'latest')]
    const isCut = ({ topic, task }: Following): boolean =>
      told.divergedAt !== null && topic === told.topic && task.partition === told.partition
    const outside = all.filter(
      (following, i) =>
        !following.isGone && (isCut(following) || following.position < starts[i]! || following.position > ends[i]!),
    )
    await this.#restart(
      outside.map(({ task }) => task),
      'the changelog was cut where it ended',
    )
  }

  async #restart(tasks: readonly StreamTask[], reason: string): Promise<void> {
    for (const task of new Set(tasks)) {
      const entry = this.#entries.get(task)
      if (entry === undefined) continue
      this.#options.logger.warn(
        { event: 'state.wiped', task: task.taskId, reason },
        `local state cannot be used: ${reason}; it is restored from the changelog`,
      )
      this.#unfollow(entry.followings)
      entry.followings = []
      entry.start = null
      entry.isPrepared = false
      await task.state.wipe()
      if (!entry.isGone) this.#prepareLater([entry])
    }
  }

  async #raiseLimits(): Promise<void> {
    const { broker, clock, applicationId, logger } = this.#options
    if (!isDue(clock.nowMs(), this.#lastLimitsMs, limitsEveryMs)) return
    this.#lastLimitsMs = clock.nowMs()
    const standbys = [...this.#entries.values()].filter(({ role }) => role === 'standby')
    try {
      const limited = standbys.flatMap(({ followings }) => followings)
      for (const at of await raiseLimits(limited, broker.admin, applicationId)) this.#reader.resume(at)
    } catch (error) {
      logger.debug({ event: 'standby.limits-failed', error: String(error) }, 'asking again later')
    }
  }

  #unfollow(followings: readonly Following[]): void {
    for (const following of followings) {
      following.isGone = true
      this.#announcer.suspend(following)
      const at = { topic: following.topic, partition: following.task.partition }
      const key = partitionKey(at.topic, at.partition)
      if (this.#followings.get(key) !== following) continue
      this.#followings.delete(key)
      this.#reader.remove([at])
    }
  }
}
