import { type GroupMember, type GroupMetadata, withoutMembers } from '../broker/group.ts'
import { decodeAssignment, encodeReport, type InstanceAssignment, type Placement } from '../assignment/user-data.ts'
import { isDue } from '../common/clock.ts'
import { BrokerError, MemberLostError } from '../common/errors.ts'
import { assign, type AssignorOptions, protocolName } from './assignor.ts'
import type { TopicFacts } from './internal-topics.ts'
import type { StateStore } from '../state/state-store.ts'
import type { StateDirectory } from './state-directory.ts'
import type { StateUpdater } from './state-updater.ts'
import type { StreamTask } from './stream-task.ts'
import type { Seams } from './streams-config.ts'
import type { TaskManager } from './task-manager.ts'

/**
 * Why this instance joined: it came; the group asked, for somebody came, went, or wanted it; it had given tasks up, which are free now;
 * a copy here had caught up; a pattern matches other topics; the group had gone on without it; the whole application is to end.
 */
export type RebalanceReason = 'started' | 'group' | 'handed-over' | 'warmed-up' | 'topics' | 'lost' | 'shut-down'

/** An assignment that was carried out. */
export interface Rebalance {
  readonly generationId: number
  readonly active: readonly string[]
  readonly standby: readonly string[]
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly reason: RebalanceReason
  /** From the join, which waits for all others, to when it was carried out; records are processed meanwhile. */
  readonly durationMs: number
}

export interface GroupSessionOptions extends AssignorOptions {
  readonly directory: StateDirectory
  readonly endpoint: string | null
  readonly host: string | null
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly rebalanceTimeoutMs: number
  readonly manager: TaskManager
  readonly updater: () => StateUpdater
  /** Looks at the topics and creates what is internal and missing. */
  readonly refreshFacts: () => Promise<TopicFacts>
  readonly facts: () => TopicFacts
  /** Commits everything: what goes to others must be complete in the log. */
  readonly commit: () => Promise<void>
  readonly wake: () => void
  readonly onRebalanced: (rebalance: Rebalance) => void
  /** Another instance has asked for the end of the whole application. */
  readonly onShutdown: (reason: string) => void
  readonly nowMs: () => number
  readonly sleep: (delayMs: number) => Promise<void>
  readonly seams: Seams
}

const warmupsEveryMs = 500
const joinAgainMs = 200
/** Between two looks for topics that a pattern matches now. */
const patternsEveryMs = 10_000

/**
 * This instance as a member of the application's group (D14). The loop calls `step` between two rounds; processing goes on
 * while a join is under way. What an assignment leads to:
 *
 *   1. What is not in it any more is committed and closed.
 *   2. What is new is restored, beside what runs.
 *   3. If something was given up, the group is asked to assign again: it is free for others only now.
 */
export class GroupSession {
  readonly #options: GroupSessionOptions
  readonly #member: GroupMember
  #joining: Promise<void> | null = null
  #given: { readonly assignment: InstanceAssignment | null; readonly generationId: number } | null = null
  #failure: Error | null = null
  #warmups: readonly string[] = []
  #lastWarmupsMs = 0
  #hasAsked = false
  /** Of the next join. */
  #reason: RebalanceReason = 'started'
  /** Of the join that is under way, or was the last. */
  #joined: { readonly reason: RebalanceReason; readonly startMs: number } = { reason: 'started', startMs: 0 }
  /** Why this instance asks for the end of the whole application. */
  #shutdown: string | null = null
  readonly #hasPatterns: boolean
  #lastPatternsMs: number
  /** Of tasks whose state is here and not open. */
  readonly #offsetsOnDisk = new Map<string, number>()
  placements: readonly Placement[] = []
  /** The last generation whose assignment was carried out; −1: none. */
  generationId = -1

  constructor(options: GroupSessionOptions) {
    this.#options = options
    const { broker, applicationId, directory, topology, wake } = options
    for (const id of directory.taskIds()) this.#offsetsOnDisk.set(id, directory.offsetsOf(id, this.#isLogged))
    const { sessionTimeoutMs, heartbeatIntervalMs, rebalanceTimeoutMs } = options
    this.#lastPatternsMs = options.nowMs()
    this.#hasPatterns = topology.nodes.some((node) => node.kind === 'source' && node.pattern !== null)
    this.#member = broker.openGroupMember({
      groupId: applicationId,
      protocolName,
      instanceId: directory.processId,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      heartbeatIntervalMs,
      subscription: () => ({
        topics: this.#topics(),
        userData: encodeReport(this.#report()),
        ownedPartitions: this.#owned(),
      }),
      assign: async (peers) => assign(peers, await options.refreshFacts(), options),
      onChange: wake,
      onWarning: (text) => options.logger.warn({ event: 'group.warning' }, text),
    })
  }

  /** Carries out what the group has decided meanwhile. Throws what only a new start, or a rejoin, can mend. */
  async step(): Promise<void> {
    if (this.#failure !== null) {
      const failure = this.#failure
      this.#failure = null
      throw failure
    }
    if (this.#member.failure !== null) throw this.#member.failure
    if (this.#member.isLost) {
      throw new MemberLostError(
        `the group "${this.#options.applicationId}" took this instance for dead and went on without it`,
      )
    }
    if (this.#given !== null) {
      const given = this.#given
      await this.#become(given)
      // Not before: when the commit of what leaves fails, this is still to be done after the mend.
      if (this.#given === given) this.#given = null
    }
    if (this.#member.isRejoinDue && this.#joining === null) this.#joining = this.#join()
    this.#askForWarm()
    this.#lookForTopics()
  }

  /**
   * Runs what commits in this member's name. While a join is under way the group may have gone on to the next generation:
   * then the same is done in that one, for what this member has is its own until it joins again.
   */
  async asMember(commit: (group: GroupMetadata) => Promise<void>): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const joining = this.#joining
      const { namesGeneration = true } = this.#options.seams
      const group = namesGeneration ? this.#member.metadata : withoutMembers(this.#options.applicationId)
      try {
        if (group === null) throw new MemberLostError('this instance is no member of its group')
        return await commit(group)
      } catch (error) {
        if (!(error instanceof MemberLostError) || joining === null || attempt === 3) throw error
        await joining
        if (this.#failure !== null) throw error
      }
    }
  }

  /** What it had is given up: the next join begins with nothing. */
  rejoin(): void {
    this.#given = null
    this.#failure = null
    this.#member.giveUp()
    this.#rejoin('lost')
  }

  /**
   * Tells all instances to end, through the group: each hears it with the assignment of the next rebalance, from whoever leads. Stays
   * until they are gone, for one that missed it would go on; false if they are not within `patienceMs`. To be called when
   * nothing runs here any more.
   */
  async shutDownApplication(reason: string, patienceMs: number): Promise<boolean> {
    const { broker, applicationId, nowMs, sleep } = this.#options
    this.#shutdown = reason
    let isTold = false
    this.#rejoin('shut-down')
    for (const endMs = nowMs() + patienceMs; nowMs() < endMs; await sleep(joinAgainMs)) {
      if (this.#member.failure !== null) return false
      if (this.#failure instanceof MemberLostError || this.#member.isLost) this.rejoin()
      isTold ||= this.#given?.assignment?.shutdown === reason
      if (this.#member.isRejoinDue && this.#joining === null) this.#joining = this.#join()
      if (!isTold || this.#joining !== null) continue
      const members = await broker.admin.groupMembers(applicationId).catch(() => null)
      if (members !== null && members.length <= 1) return true
    }
    return false
  }

  /** Others get its tasks at once. */
  async leave(): Promise<void> {
    await this.#member.leave()
    await this.#joining
  }

  /**
   * For the next rebalance: how far the state goes that a task leaves on disk. A copy that has caught up is closed while its
   * task is on the way to it: forgotten, it would be no reason any more to give the task here, and the task went back, for ever.
   */
  noteClosed(task: StreamTask): void {
    if (task.state.stores.size > 0) this.#offsetsOnDisk.set(task.taskId, this.#offsetsOf(task, isOnDisk))
  }

  noteDeleted(taskId: string): void {
    this.#offsetsOnDisk.delete(taskId)
  }

  #rejoin(reason: RebalanceReason): void {
    if (this.#reason === 'group') this.#reason = reason
    this.#member.requestRejoin()
  }

  async #join(): Promise<void> {
    const { logger, nowMs } = this.#options
    this.#joined = { reason: this.#reason, startMs: nowMs() }
    try {
      const { userData, generationId } = await this.#member.join()
      this.#reason = 'group'
      this.#given = { assignment: decodeAssignment(userData), generationId }
    } catch (error) {
      if (error instanceof BrokerError && error.retryable) {
        logger.warn({ event: 'group.join-failed', error: error.message }, 'the group could not be joined; trying again')
        await this.#options.sleep(joinAgainMs)
      } else {
        this.#failure = error as Error
      }
    } finally {
      this.#joining = null
      this.#options.wake()
    }
  }

  async #become({
    assignment,
    generationId,
  }: {
    readonly assignment: InstanceAssignment | null
    readonly generationId: number
  }): Promise<void> {
    const { manager, updater, commit, logger, nowMs, onRebalanced } = this.#options
    if (assignment === null) return this.#member.requestRejoin()
    if (assignment.shutdown !== null) return this.#options.onShutdown(assignment.shutdown)
    const { active, standby, warmups, placements } = assignment
    // A topic that a pattern matches may be known to the one that assigned, and not here.
    if (this.#hasPatterns) await this.#options.refreshFacts()
    const wanted = new Set(active)
    const leaving = [...manager.active.keys()].filter((id) => !wanted.has(id))
    const added = active.filter((id) => !manager.active.has(id))
    // 1.
    const isLeaving = leaving.some((id) => manager.running.some(({ taskId }) => taskId === id))
    const { commitsBeforeHandOver = true } = this.#options.seams
    if (commitsBeforeHandOver && (isLeaving || manager.hasGrown)) await commit()
    // 2.
    await manager.become(active, standby, updater())
    this.#warmups = warmups
    this.#hasAsked = false
    this.placements = placements
    this.generationId = generationId
    logger.info(
      {
        event: 'group.assigned',
        reason: this.#joined.reason,
        generationId,
        active: active.length,
        standby: standby.length,
        leaving,
        warmups,
      },
      'tasks assigned',
    )
    const { reason, startMs } = this.#joined
    const durationMs = nowMs() - startMs
    onRebalanced({ generationId, active, standby, added, removed: leaving, reason, durationMs })
    // 3.
    if (leaving.length > 0 || assignment.leaving.length > 0) this.#rejoin('handed-over')
  }

  /** A copy that is to become the task itself has caught up: Kafka Streams would look again after ten minutes. */
  #askForWarm(): void {
    const { manager, updater, placement, nowMs } = this.#options
    if (this.#warmups.length === 0 || this.#hasAsked || !isDue(nowMs(), this.#lastWarmupsMs, warmupsEveryMs)) return
    this.#lastWarmupsMs = nowMs()
    const isWarm = this.#warmups.some((id) => {
      const task = manager.standby.get(id)
      const lag = task === undefined ? null : updater().lag(task)
      return lag !== null && lag <= placement.acceptableLag
    })
    if (!isWarm) return
    this.#hasAsked = true
    this.#rejoin('warmed-up')
  }

  /** Other stores are restored from topics that are read anyhow, or not at all: they say nothing of what is to be copied. */
  readonly #isLogged = (store: string): boolean =>
    (this.#options.topology.stores.find(({ name }) => name === store)?.logging ?? null) !== null

  /** The leader would not hear of a new topic before the next rebalance. */
  #lookForTopics(): void {
    const { nowMs, refreshFacts, logger, wake } = this.#options
    if (!this.#hasPatterns || !isDue(nowMs(), this.#lastPatternsMs, patternsEveryMs)) return
    this.#lastPatternsMs = nowMs()
    const before = this.#topics().join()
    refreshFacts().then(
      () => {
        if (this.#topics().join() === before) return
        this.#rejoin('topics')
        wake()
      },
      (error: unknown) =>
        logger.warn({ event: 'topics.unknown', error: String(error) }, 'topics could not be looked up'),
    )
  }

  #topics(): readonly string[] {
    return [...new Set([...this.#options.facts().inputTopics.values()].flat())].sort()
  }

  #report() {
    const { manager, directory, endpoint, host, topologyHash } = this.#options
    const offsets = new Map(this.#offsetsOnDisk)
    for (const task of manager.all) offsets.set(task.taskId, this.#offsetsOf(task))
    const active = [...manager.active.keys()]
    const standby = [...manager.standby.keys()]
    const shutdown = this.#shutdown
    return { processId: directory.processId, endpoint, host, topologyHash, active, standby, offsets, shutdown }
  }

  /** Sum of the changelog offsets that the state of some of its stores stands for. */
  #offsetsOf({ state }: StreamTask, isCounted: (store: StateStore) => boolean = () => true): number {
    let sum = 0
    for (const [name, store] of state.stores) {
      if (this.#isLogged(name) && isCounted(store)) sum += state.position(name)?.offset ?? 0
    }
    return sum
  }

  #owned() {
    const { manager } = this.#options
    return [...manager.active.values()].flatMap((task) => manager.inputsOf(task))
  }
}

const isOnDisk = (store: StateStore): boolean => !store.spec.inMemory
