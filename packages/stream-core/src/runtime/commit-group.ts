import type { CommittedOffset, LogProducer } from '../broker/broker.ts'
import type { GroupMetadata } from '../broker/group.ts'
import { assert } from '../common/assert.ts'
import { isDue } from '../common/clock.ts'
import { OffsetOutOfRangeError } from '../common/errors.ts'
import type { StateStore } from '../state/state-store.ts'
import type { ChangelogPosition } from '../state/task-database.ts'
import { encodeOffsetMetadata } from './offset-metadata.ts'
import type { CommitGroupName } from './producers.ts'
import type { StreamTask } from './stream-task.ts'
import type { Seams } from './streams-config.ts'

/**
 * The commit (D12). Its unit is the commit group: all tasks that share one producer. The steps are those of
 * docs/internals/exactly-once.md, by number; crash tests stop before and after each of them.
 */
export const commitSteps = [
  'stop intake',
  'flush caches',
  'append changelogs',
  'commit in the log',
  'freeze the layers',
  'resume',
] as const
export type CommitStep = (typeof commitSteps)[number]

export interface CommitGroupOptions {
  readonly name: CommitGroupName
  /** Runs what commits in the name of this member of the group; again, if the group has assigned anew meanwhile. */
  readonly asMember: (commit: (group: GroupMetadata) => Promise<void>) => Promise<void>
  readonly producer: () => LogProducer
  readonly guarantee: 'exactly-once' | 'at-least-once'
  /** Of at-least-once: how long what was forwarded waits to be sent. */
  readonly lingerMs: number
  readonly clusterId: string
  /** The topic a store is restored from; undefined: none. */
  readonly changelogTopic: (store: string) => string | undefined
  readonly nowMs: () => number
  /** Resolves when an asynchronous call has ended since it was called. */
  readonly nextWake: () => Promise<void>
  /** Ends a wait for `nextWake` without a call that has ended. */
  readonly wake: () => void
  readonly sleep: (delayMs: number, signal: AbortSignal) => Promise<void>
  /** Called around each step: where a crash test kills the process. */
  readonly onStep?: ((step: CommitStep, phase: 'before' | 'after') => void) | undefined
  /** For mutants in simulation, to show that they are noticed. */
  readonly seams: Seams
}

export type CommitAction = readonly [name: CommitStep, run: () => void | Promise<void>]

/** What the steps of one commit hand on. */
interface Commit {
  /** From when the state is: its end may be told much later, to a process that was suspended. */
  readonly beganMs: number
  readonly tasks: readonly StreamTask[]
  offsets: readonly CommittedOffset[]
  readonly positions: Map<StreamTask, ReadonlyMap<string, ChangelogPosition>>
  /** How many records each store has written to its changelog. */
  readonly logged: Map<StateStore, number>
}

/**
 * How long a close waits for asynchronous calls. Enough for a service that is well; process managers kill ten seconds
 * after they have asked for an end (docker stop), and the commit of the rest must fit in too.
 */
const closeWaitMs = 5000

export class CommitGroup {
  /** Those that run now. */
  tasks: readonly StreamTask[] = []
  readonly name: CommitGroupName
  readonly #options: CommitGroupOptions
  /** When the last commit ended; 0: there was none. */
  lastCommitMs = 0
  /** Set by the first `beginClose`: aborted once nobody waits for calls any more. */
  #closing: AbortController | null = null
  #isTimeUp = false
  /** What was not committed is given up for the next start to do again. */
  #isAbandoned = false
  /** At-least-once: a flush that is under way and that no commit waits for yet, */
  #sending: Promise<void> | null = null
  /** when the last of them began, */
  #sentMs = 0
  /** and what one of them failed with: so does the next commit. */
  #sendFailure: Error | null = null

  constructor(options: CommitGroupOptions) {
    this.#options = options
    this.name = options.name
  }

  get #producer(): LogProducer {
    return this.#options.producer()
  }

  get isDirty(): boolean {
    return this.tasks.some((task) => task.isDirty)
  }

  get isCommitRequested(): boolean {
    return this.#sendFailure !== null || this.tasks.some((task) => task.isCommitRequested)
  }

  /** Asynchronous calls under way: a commit has to wait for them, for their records count as processed. */
  get pendingCalls(): number {
    return this.tasks.reduce((sum, task) => sum + task.pendingCalls, 0)
  }

  /**
   * At-least-once: what was forwarded goes out without the commit, one flush after the other, so that what comes while a request is under
   * way goes out together.
   */
  sendEarly(): void {
    if (!this.#isSendDue()) return
    this.#sentMs = this.#options.nowMs()
    const sending: Promise<void> = this.#producer.flush().then(
      () => this.#sent(sending, null),
      (error: unknown) => this.#sent(sending, error as Error),
    )
    this.#sending = sending
  }

  /** When `sendEarly` has something to do next; Infinity: not before something else happens. */
  get nextSendMs(): number {
    return this.#hasUnsent() ? this.#sentMs + this.#options.lingerMs : Infinity
  }

  #isSendDue(): boolean {
    return this.#hasUnsent() && isDue(this.#options.nowMs(), this.#sentMs, this.#options.lingerMs)
  }

  #hasUnsent(): boolean {
    if (this.#options.guarantee !== 'at-least-once' || this.#sending !== null || this.#sendFailure !== null)
      return false
    return this.tasks.length > 0 && this.#producer.pendingBytes > 0
  }

  #sent(sending: Promise<void>, failure: Error | null): void {
    // A commit has failed meanwhile, and what it was about is done again.
    if (this.#sending !== sending) return
    this.#sending = null
    this.#sendFailure = failure
    this.#options.wake()
  }

  /** No record is taken until the next commit is done: the calls under way come to an end. */
  stopIntake(): void {
    for (const task of this.tasks) task.isIntakeStopped = true
  }

  /** No call is tried again, and those under way get a bounded time: a commit that would wait longer is given up. */
  beginClose(): void {
    if (this.#closing !== null) return
    this.#closing = new AbortController()
    for (const task of this.tasks) task.endRetries()
    const { signal } = this.#closing
    void this.#options.sleep(closeWaitMs, signal).then(() => {
      if (signal.aborted) return
      this.#isTimeUp = true
      this.#options.wake()
    })
  }

  /** The last commit has been made: the time that a close waits needs no end any more. */
  endClose(): void {
    this.#closing?.abort()
  }

  /**
   * Commits what all tasks did since the last time. On a rejection nothing was frozen and the outcome may be unknown:
   * the caller drops the active layers, asks the log what is committed and replays it, and never decides from memory.
   *
   * Once a close has begun and a call has failed or takes too long, nothing is committed: the transaction is aborted, and
   * the next start reads its records again.
   */
  async commit(): Promise<void> {
    if (this.#isAbandoned) return
    const { onStep, seams } = this.#options
    const { arrangeSteps = (steps) => steps } = seams
    const dirty = this.tasks.filter((task) => task.isDirty || task.pendingCalls > 0)
    const commit: Commit = {
      beganMs: this.#options.nowMs(),
      tasks: dirty,
      offsets: [],
      positions: new Map(),
      logged: new Map(),
    }
    for (const [name, run] of arrangeSteps(this.#steps(commit))) {
      onStep?.(name, 'before')
      await run()
      onStep?.(name, 'after')
      if (this.#isAbandoned) return
    }
  }

  /** What a commit does, in this order. Each step says what must hold before it. */
  #steps(commit: Commit): readonly CommitAction[] {
    const { tasks } = commit
    const { guarantee, asMember } = this.#options
    return [
      // 1. No record is taken from here on.
      ['stop intake', () => this.stopIntake()],

      // 2. Asynchronous calls end, and results that the caches held back are forwarded, in topological order; what is
      // forwarded may make calls again. After this the input positions are final.
      [
        'flush caches',
        async () => {
          assertAll(tasks, (task) => task.isIntakeStopped, 'takes records while it commits')
          if (!(await this.#flush(tasks))) return this.#abandon()
          commit.offsets = tasks.flatMap((task) => offsetsOf(task, this.#options.seams))
        },
      ],

      // 3. The changelog gets the last value of every key that was written.
      [
        'append changelogs',
        async () => {
          assertAll(tasks, (task) => task.isIntakeStopped && task.pendingCalls === 0, 'has calls under way')
          for (const task of tasks) this.#appendChangelogs(task, commit.logged)
          if (guarantee === 'at-least-once') await this.#sendAll()
        },
      ],

      // 4. Output, changelogs and input positions become visible together (exactly-once), or output before positions.
      [
        'commit in the log',
        async () => {
          const { offsets } = commit
          if (guarantee === 'exactly-once') {
            await asMember((group) => this.#producer.sendOffsets(group, offsets))
            await this.#producer.commit()
          } else {
            await asMember((group) => this.#producer.commitOffsets(group, offsets))
          }
          for (const task of tasks) commit.positions.set(task, this.#changelogPositions(task, commit))
        },
      ],

      // 5. What was written is part of the committed state, with the changelog positions it stands for.
      [
        'freeze the layers',
        () => {
          for (const task of tasks) {
            const positions = commit.positions.get(task)
            assert(positions !== undefined, `task ${task.taskId} is not committed in the log`)
            task.state.freeze(positions)
          }
        },
      ],

      // 6. The loop goes on.
      [
        'resume',
        () => {
          assertAll(tasks, (task) => !task.state.hasChanges, 'goes on with changes that are not committed')
          for (const task of this.tasks) task.isIntakeStopped = false
          for (const task of tasks) task.markCommitted()
          this.lastCommitMs = this.#options.nowMs()
        },
      ],
    ]
  }

  /** Also of what was sent early nothing is left uncertain. */
  async #sendAll(): Promise<void> {
    const early = this.#sending
    try {
      await this.#producer.flush()
      await early
      if (this.#sendFailure !== null) throw this.#sendFailure
    } finally {
      this.#sending = this.#sendFailure = null
    }
  }

  /** False: not all calls have ended, for the application closes. */
  async #flush(tasks: readonly StreamTask[]): Promise<boolean> {
    for (const task of tasks) {
      do {
        if (!(await this.#drain(task))) return false
        task.flushCaches()
      } while (task.pendingCalls > 0)
    }
    return true
  }

  /**
   * Each call ends by itself: by its result, its failure or its timeout. False: the application closes, and the result of
   * a call will not come, or not in time.
   */
  async #drain(task: StreamTask): Promise<boolean> {
    task.completeAsync()
    while (task.pendingCalls > 0) {
      if (this.#isTimeUp || this.tasks.some((member) => member.hasLeftCalls)) return false
      await this.#options.nextWake()
      task.completeAsync()
    }
    return true
  }

  async #abandon(): Promise<void> {
    this.#isAbandoned = true
    for (const task of this.tasks) task.abandon()
    if (this.#options.guarantee === 'exactly-once') await this.#producer.abort()
  }

  #appendChangelogs(task: StreamTask, logged: Map<StateStore, number>): void {
    const { logsDeletions = true } = this.#options.seams
    for (const store of task.state.stores.values()) {
      const topic = this.#options.changelogTopic(store.spec.name)
      if (store.spec.logging === null || topic === undefined) continue
      let count = 0
      store.changes((key, value, timestampMs, headers) => {
        if (value === null && !logsDeletions) return
        this.#producer.append(topic, task.partition, key, value, timestampMs ?? this.#options.nowMs(), headers)
        count++
      })
      logged.set(store, count)
    }
  }

  /**
   * What was written lies where the state has been already: the changelog has lost its end under a running task, and what others
   * would restore is not what is here. So it is restored here too, from what there is.
   */
  #failAsCut(task: StreamTask, store: string, topic: string, offset: number): never {
    const { partition } = task
    const position = task.state.position(store)!
    task.state.setPositions(new Map([[store, { ...position, offset: Number.MAX_SAFE_INTEGER }]]))
    const log = { logStartOffset: -1, logEndOffset: -1, divergedAt: null }
    throw new OffsetOutOfRangeError({ topic, partition, offset, ...log })
  }

  #changelogPositions(task: StreamTask, { logged, beganMs }: Commit): Map<string, ChangelogPosition> {
    const { clusterId, changelogTopic, seams } = this.#options
    const { changelogPosition = itself } = seams
    const positions = new Map<string, ChangelogPosition>()
    for (const store of task.state.stores.values()) {
      const topic = changelogTopic(store.spec.name)
      if (topic === undefined || !store.hasChanges) continue
      // Of the topic it was restored from, and no other that has taken its name since.
      const { topicId, offset: before } = task.state.position(store.spec.name) ?? { topicId: '', offset: 0 }
      if (store.spec.logging === null) {
        // The topic it is restored from is an input: the state stands for what was read of it.
        const input = [...task.queues].find((queue) => queue.topic === topic)
        if (input === undefined) continue
        const at = { offset: input.committable, clusterId, topicId, savedAtMs: beganMs }
        positions.set(store.spec.name, at)
        continue
      }
      // The log did not say where: the state stands for what it stood for, and more, which a restore reads once again. Asked now,
      // the log's end would count what others have written who were given the task meanwhile, and a restore would leave it out.
      const said = this.#producer.nextOffset(topic, task.partition)
      const written = logged.get(store) ?? 0
      const isTold = said >= 0 && written > 0
      if (isTold && said < before + written) this.#failAsCut(task, store.spec.name, topic, said)
      const offset = isTold ? changelogPosition(said) : before
      positions.set(store.spec.name, { offset, clusterId, topicId, savedAtMs: beganMs })
    }
    return positions
  }
}

function offsetsOf(task: StreamTask, { committedOffset = itself }: Seams): CommittedOffset[] {
  return [...task.queues].map((queue) => ({
    topic: queue.topic,
    partition: queue.partition,
    offset: committedOffset(queue.committable),
    leaderEpoch: queue.committableEpoch,
    metadata: encodeOffsetMetadata({ partitionTimeMs: queue.partitionTimeMs, numbers: task.committedNumbers }),
  }))
}

const itself = (offset: number): number => offset

function assertAll(tasks: readonly StreamTask[], holds: (task: StreamTask) => boolean, what: string): void {
  for (const task of tasks) assert(holds(task), `task ${task.taskId} ${what}`)
}
