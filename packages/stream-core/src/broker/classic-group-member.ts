import type { Clock } from '../common/clock.ts'
import { BrokerError, ConfigError, MemberLostError } from '../common/errors.ts'
import type { Assignment, GroupMember, GroupMemberOptions, GroupMetadata } from './group.ts'
import { type GroupCoordinator, groupCode, type JoinAnswer, type MemberRequest } from './group-coordinator.ts'

/** Longer than the session of a Kafka Streams instance, 45 s. */
const strangersPatienceMs = 60_000
/** How long a leave waits for the answer to a join that was sent before it: later ones are left without anybody waiting. */
const lateJoinMs = 1000

/** Whether a member has come to be: also one that is only told its id has a session. */
const joins = ({ errorCode }: JoinAnswer): boolean =>
  errorCode === groupCode.none || errorCode === groupCode.memberIdRequired

export interface AssignmentCodec {
  encode(assignment: Assignment): Buffer
  decode(bytes: Buffer): Assignment
}

/**
 * A member by Kafka's classic protocol, cooperative (KIP-429): it keeps what it owns while it joins. One state machine for
 * both logs; they differ in who answers.
 *
 *   outside → join → joined ⇄ join again
 *                      ↓ the group went on without it: lost → join with nothing
 *                      ↓ another has its name: once, lost; again soon after, failed
 *
 * The steps of a join:
 *   1. JoinGroup, which waits for all members; the first one of a dynamic member is told its id and sends it again.
 *   2. Heartbeats begin: the leader may take its time.
 *   3. The leader, and be it alone, assigns.
 *   4. SyncGroup. The group may assign anew meanwhile: from 1.
 */
export class ClassicGroupMember implements GroupMember {
  readonly #coordinator: GroupCoordinator
  readonly #codec: AssignmentCodec
  readonly #clock: Clock
  readonly #options: GroupMemberOptions
  #memberId = ''
  #generationId = -1
  /** Generation of the last assignment: in which its partitions came to be owned. */
  #ownedSince = -1
  #isRejoinDue = true
  #isLost = false
  #isClosed = false
  #failure: Error | null = null
  #heartbeats: AbortController | null = null
  /** A join that is under way. */
  #asked: Promise<JoinAnswer> | null = null
  readonly #closed = Promise.withResolvers<never>()
  #strangersSinceMs: number | null = null
  /** Another took this member's place: when it had it back; `open` until it has, null if none ever did. */
  #takenBack: number | 'open' | null = null

  constructor(coordinator: GroupCoordinator, codec: AssignmentCodec, clock: Clock, options: GroupMemberOptions) {
    this.#coordinator = coordinator
    this.#codec = codec
    this.#clock = clock
    this.#options = options
    // It may be that nobody waits.
    this.#closed.promise.catch(() => undefined)
  }

  get metadata(): GroupMetadata | null {
    if (this.#generationId < 0) return null
    const { groupId, memberId, instanceId, generationId } = this.#self()
    return { groupId, memberId, instanceId, generationId }
  }

  get isRejoinDue(): boolean {
    return this.#isRejoinDue
  }

  get isLost(): boolean {
    return this.#isLost
  }

  get failure(): Error | null {
    return this.#failure
  }

  async join(): Promise<Assignment & { readonly generationId: number }> {
    if (this.#isLost) throw this.#lost('joining')
    this.#isRejoinDue = false
    try {
      return await this.#join()
    } catch (error) {
      this.#isRejoinDue = true
      throw error
    }
  }

  async #join(): Promise<Assignment & { readonly generationId: number }> {
    for (;;) {
      this.#checkOpen()
      // 1.
      this.#stopHeartbeats()
      const joined = await this.#joinGroup()
      if (joined === null) continue
      // 2.
      this.#memberId = joined.memberId
      this.#generationId = joined.generationId
      if (this.#isClosed) await this.#sendLeave(this.#memberId)
      this.#checkOpen()
      this.#startHeartbeats()
      // 3. A static leader that came back may still hold the assignment of its group.
      const isLeader = joined.leaderId === joined.memberId && !joined.skipsAssignment
      const given = isLeader ? await this.#options.assign(joined.peers) : new Map<string, Assignment>()
      // 4.
      const assignments = new Map([...given].map(([id, assignment]) => [id, this.#codec.encode(assignment)]))
      const { protocolName } = this.#options
      const syncing = this.#coordinator.sync({ ...this.#self(), protocolName, assignments })
      const synced = await Promise.race([syncing, this.#closed.promise])
      if (synced.errorCode === groupCode.none) {
        this.#ownedSince = joined.generationId
        return { ...this.#codec.decode(synced.assignment), generationId: joined.generationId }
      }
      this.#stopHeartbeats()
      if (synced.errorCode !== groupCode.rebalanceInProgress) this.#refuse('synchronising', synced.errorCode)
    }
  }

  giveUp(): void {
    this.#isLost = false
  }

  requestRejoin(): void {
    this.#isRejoinDue = true
    this.#options.onChange()
  }

  async leave(): Promise<void> {
    await this.close()
    const asked = this.#asked
    // One whose join is under way has no id yet, and may have a name.
    if (this.#memberId !== '' || this.#options.instanceId !== undefined) await this.#sendLeave(this.#memberId)
    // The join may arrive after that, for it is on another line: then it is left what it has become.
    if (asked !== null) {
      const left = asked.then(
        (answer) => (joins(answer) ? this.#sendLeave(answer.memberId) : undefined),
        () => undefined, // nobody has joined
      )
      const waiting = new AbortController()
      await Promise.race([left, this.#clock.sleep(lateJoinMs, waiting.signal)])
      waiting.abort()
    }
    this.#forget()
  }

  /** A join that is under way ends, and its answer is not waited for: it can take as long as the slowest of all members. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#stopHeartbeats()
    this.#closed.reject(closedError())
  }

  #checkOpen(): void {
    if (this.#isClosed) throw closedError()
  }

  async #sendLeave(memberId: string): Promise<void> {
    await this.#coordinator.leave({ ...this.#self(), memberId }).catch(() => undefined) // the session's end does the same, later
  }

  #self(): MemberRequest {
    const { groupId, instanceId = null } = this.#options
    return { groupId, instanceId, memberId: this.#memberId, generationId: this.#generationId }
  }

  /** null: to be asked again. */
  async #joinGroup(): Promise<JoinAnswer | null> {
    const { protocolName, sessionTimeoutMs, rebalanceTimeoutMs, subscription } = this.#options
    const { groupId, memberId, instanceId } = this.#self()
    this.#asked = this.#coordinator.join({
      groupId,
      memberId,
      instanceId,
      protocolName,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      subscription: { ...subscription(), generationId: this.#ownedSince },
    })
    const answer = await Promise.race([this.#asked, this.#closed.promise])
    this.#asked = null
    switch (answer.errorCode) {
      case groupCode.none:
        this.#strangersSinceMs = null
        if (this.#takenBack === 'open') this.#takenBack = this.#clock.nowMs()
        return answer
      case groupCode.memberIdRequired:
        this.#memberId = answer.memberId
        return null
      case groupCode.rebalanceInProgress:
        return null
      case groupCode.inconsistentProtocol: {
        // Members of another kind, from Kafka Streams for instance, may have ended without a good-bye.
        const nowMs = this.#clock.nowMs()
        if (this.#strangersSinceMs === null) {
          this.#strangersSinceMs = nowMs
          this.#options.onWarning('the group has members that assign in another way: waiting for them to leave')
        }
        if (nowMs - this.#strangersSinceMs >= strangersPatienceMs) this.#refuse('joining', answer.errorCode)
        await this.#clock.sleep(500)
        return null
      }
      default:
        this.#refuse('joining', answer.errorCode)
    }
  }

  #refuse(what: string, code: number): never {
    if (this.#isLossOf(code)) {
      this.#isLost = true
      this.#forget()
      throw this.#lost(what)
    }
    throw (this.#failure = fatal(what, code, this.#options))
  }

  /** Whether joining again mends it. */
  #isLossOf(code: number): boolean {
    if (code === groupCode.fencedInstanceId) return this.#takesItsPlaceBack()
    return code === groupCode.unknownMemberId || code === groupCode.illegalGeneration
  }

  /**
   * The group knows another member by this one's instance id. Nobody need have come: Kafka's coordinator stores members with
   * the assignment, so one that is restarted between join and assignment knows the member before; and a join of a process
   * that is gone can arrive late. So the place is taken back, once. Who lives joins again as well, and of the two one fails.
   */
  #takesItsPlaceBack(): boolean {
    const { instanceId, sessionTimeoutMs, onWarning } = this.#options
    const before = this.#takenBack
    if (before === 'open' || (before !== null && this.#clock.nowMs() - before < 2 * sessionTimeoutMs)) return false
    this.#takenBack = 'open'
    onWarning(`another has joined the group as "${instanceId}": its place is taken back, once`)
    return true
  }

  #lost(what: string): MemberLostError {
    return new MemberLostError(`${what} the group "${this.#options.groupId}": it has gone on without this member`)
  }

  /** The next join is a new member's. */
  #forget(): void {
    this.#stopHeartbeats()
    this.#memberId = ''
    this.#generationId = this.#ownedSince = -1
    this.#isRejoinDue = true
  }

  #startHeartbeats(): void {
    this.#heartbeats = new AbortController()
    void this.#beat(this.#self(), this.#heartbeats.signal)
  }

  #stopHeartbeats(): void {
    this.#heartbeats?.abort()
    this.#heartbeats = null
  }

  async #beat(self: MemberRequest, signal: AbortSignal): Promise<void> {
    const { heartbeatIntervalMs, onChange } = this.#options
    for (;;) {
      await this.#clock.sleep(heartbeatIntervalMs, signal)
      if (signal.aborted) return
      let code: number
      try {
        code = await this.#coordinator.heartbeat(self)
      } catch (error) {
        if (signal.aborted) return
        if (error instanceof BrokerError && error.retryable) continue
        this.#failure = error as Error
        return onChange()
      }
      if (signal.aborted) return
      if (code === groupCode.none) continue
      if (code === groupCode.rebalanceInProgress) {
        this.#isRejoinDue = true
        onChange()
        continue
      }
      if (this.#isLossOf(code)) {
        this.#isLost = true
        this.#forget()
      } else {
        this.#failure = fatal('a heartbeat to', code, this.#options)
        this.#stopHeartbeats()
      }
      return onChange()
    }
  }
}

const closedError = (): BrokerError =>
  new BrokerError('BROKER_UNAVAILABLE', 'the member of the group was closed', { retryable: false })

function fatal(what: string, code: number, { groupId, instanceId, protocolName }: GroupMemberOptions): Error {
  switch (code) {
    case groupCode.fencedInstanceId:
      return new BrokerError(
        'FENCED',
        `another process runs as "${instanceId}" in the group "${groupId}": two of them use copies of one state folder. ` +
          'Give each instance a stateDir of its own',
        { retryable: false },
      )
    case groupCode.inconsistentProtocol:
      return new ConfigError(
        'applicationId',
        `the group "${groupId}" is in use by consumers that do not assign by "${protocolName}": choose another applicationId`,
      )
    default:
      return new BrokerError('BROKER_REFUSED', `${what} the group "${groupId}": the broker answered ${code}`, {
        retryable: false,
      })
  }
}
