import { ClassicGroupMember } from '../../src/broker/classic-group-member.ts'
import type { GroupCoordinator } from '../../src/broker/group-coordinator.ts'
import type { GroupMember, GroupMemberOptions } from '../../src/broker/group.ts'
import { plainCodec } from '../../src/adapters/embedded/embedded-log.ts'
import type { LogStore } from '../../src/adapters/embedded/log-store.ts'
import {
  type Admin,
  type Broker,
  BrokerError,
  type Clock,
  FencedError,
  type LogProducer,
  type LogProducerOptions,
  type LogReader,
  type LogReaderOptions,
  TransactionAbortableError,
} from '../../src/index.ts'
import type { Random } from './random.ts'

export interface SimFaults {
  /** How likely a request goes wrong in one way or another. */
  probability: number
  /** How likely a reader is slow. */
  slowReaders: number
  readonly random: Random
  readonly count: (fault: string) => void
}

/** Less than makes a copy old. */
const slowMsMax = 30
/** How a refusal begins that no program mends: the application ends, and somebody starts it again. */
export const endsIt = 'refused for good'

/**
 * What one simulated process sees of the log and of time. It can be killed: then nothing that it asked for is ever answered.
 * It can be stopped and continued, and does not notice. And requests go wrong, as those of a cluster do.
 */
export class SimInstance implements Broker, Clock {
  readonly admin: Admin
  readonly #log: Broker
  readonly #store: LogStore
  readonly #clock: Clock
  readonly #faults: SimFaults
  readonly #readers = new Set<LogReader>()
  isKilled = false
  #stopped: { readonly promise: Promise<void>; readonly resolve: () => void } | null = null

  constructor(log: Broker, store: LogStore, clock: Clock, faults: SimFaults) {
    this.#log = log
    this.#store = store
    this.#clock = clock
    this.#faults = faults
    const { admin } = log
    const ask = <A extends unknown[], R>(run: (...given: A) => Promise<R>): ((...given: A) => Promise<R>) => {
      return async (...given) => {
        await this.#gate()
        this.#mayFail('admin')
        const answer = await run(...given)
        await this.#gate()
        return answer
      }
    }
    this.admin = {
      clusterId: ask(() => admin.clusterId()),
      listTopics: ask(() => admin.listTopics()),
      describeTopics: ask((given) => admin.describeTopics(given)),
      createTopics: ask((given) => admin.createTopics(given)),
      deleteTopics: ask((given) => admin.deleteTopics(given)),
      listOffsets: ask((given, at) => admin.listOffsets(given, at)),
      committedOffsets: ask((group, given, options) => admin.committedOffsets(group, given, options)),
      abortTransactions: ask((isGone) => admin.abortTransactions(isGone)),
      deleteRecords: ask((before) => admin.deleteRecords(before)),
      listGroups: ask(() => admin.listGroups()),
      groupMembers: ask((group) => admin.groupMembers(group)),
      groupOffsets: ask((group) => admin.groupOffsets(group)),
      deleteGroupOffsets: ask((group, given) => admin.deleteGroupOffsets(group, given)),
    }
  }

  kill(): void {
    this.isKilled = true
    for (const reader of this.#readers) void reader.close()
  }

  stop(): void {
    this.#stopped ??= Promise.withResolvers<void>()
  }

  continue(): void {
    this.#stopped?.resolve()
    this.#stopped = null
  }

  get isStopped(): boolean {
    return this.#stopped !== null
  }

  nowMs(): number {
    return this.#clock.nowMs()
  }

  async sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    await this.#clock.sleep(delayMs, signal)
    await this.#gate()
  }

  openGroupMember(options: GroupMemberOptions): GroupMember {
    const inner = this.#store.groups.coordinator()
    const ask = async <R>(run: () => Promise<R>): Promise<R> => {
      await this.#gate()
      this.#mayFail('group')
      const answer = await run()
      await this.#gate()
      return answer
    }
    const coordinator: GroupCoordinator = {
      join: (request) => ask(() => inner.join(request)),
      sync: (request) => ask(() => inner.sync(request)),
      heartbeat: (request) => ask(() => inner.heartbeat(request)),
      leave: (request) => ask(() => inner.leave(request)),
      close: () => inner.close(),
    }
    return new ClassicGroupMember(coordinator, plainCodec, this, options)
  }

  openReader(options?: LogReaderOptions): LogReader {
    const { random, count } = this.#faults
    // Some bring one batch at a time, and take their time about it: what others do comes in between.
    const isSlow = random.chance(this.#faults.slowReaders)
    const inner = this.#log.openReader(isSlow ? { ...options, partitionMaxBytes: 1 } : options)
    this.#readers.add(inner)
    const alive = <A extends unknown[]>(run: (...given: A) => void): ((...given: A) => void) => {
      return (...given) => {
        if (!this.isKilled) run(...given)
      }
    }
    return {
      assign: alive((positions) => inner.assign(positions)),
      add: alive((positions) => inner.add(positions)),
      remove: alive((partitions) => inner.remove(partitions)),
      seek: alive((partition, offset) => inner.seek(partition, offset)),
      pause: alive((partition) => inner.pause(partition)),
      resume: alive((partition) => inner.resume(partition)),
      wakeup: alive(() => inner.wakeup()),
      remaining: (partition) => (this.isKilled ? 0 : inner.remaining(partition)),
      poll: async (maxWaitMs) => {
        await this.#gate()
        this.#mayFail('poll')
        if (isSlow && random.chance(this.#faults.slowReaders / 4)) {
          count('slow poll')
          await this.sleep(random.below(slowMsMax))
        }
        const fetched = await inner.poll(maxWaitMs)
        // What was fetched is the caller's already: a process that is stopped here has it when it goes on.
        await this.#gate()
        return fetched
      },
      close: async () => {
        this.#readers.delete(inner)
        await inner.close()
      },
    }
  }

  async openProducer(options?: LogProducerOptions): Promise<LogProducer> {
    await this.#gate()
    this.#mayFail('open producer')
    const inner = await this.#log.openProducer(options)
    await this.#gate()
    return this.#faultyProducer(inner, options?.transactionalId !== undefined)
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  #faultyProducer(inner: LogProducer, isTransactional: boolean): LogProducer {
    const { random, count } = this.#faults
    let fatal: BrokerError | null = null
    let isAbortOnly = false
    const isHit = (fault: string): boolean => {
      if (!random.chance(this.#faults.probability)) return false
      count(fault)
      return true
    }
    const ask = async <R>(run: () => Promise<R>): Promise<R> => {
      await this.#gate()
      if (fatal !== null) throw fatal
      const answer = await run()
      await this.#gate()
      return answer
    }
    const unknownEnd = (): BrokerError =>
      (fatal = new BrokerError('DELIVERY_UNCONFIRMED', 'it is not known whether the transaction was committed', {
        retryable: false,
        written: 'unknown',
      }))
    /** Records that the log does not take, or of which it does not say that it has: by what is to be done about it. */
    const refuse = (isWritten: boolean): void => {
      if (!random.chance(this.#faults.probability)) return
      const how = random.pick(['again', 'abort', 'fenced', 'for good'])
      if (how === 'for good' && !random.chance(0.3)) return
      count(`records refused: ${how}`)
      isAbortOnly = true
      const written = isWritten ? 'unknown' : 'no'
      if (how === 'again')
        throw new BrokerError('BROKER_UNAVAILABLE', 'no answer in time', { retryable: true, written })
      if (how === 'abort') throw new TransactionAbortableError('the sequence is not the next one')
      if (how === 'fenced') throw (fatal = new FencedError('another has this id'))
      throw new BrokerError('BROKER_REFUSED', `${endsIt}: a record is too large`, { retryable: false, written })
    }
    return {
      append: (...given) => {
        if (!this.isKilled) inner.append(...given)
      },
      flush: () => ask(() => inner.flush()),
      get pendingBytes() {
        return inner.pendingBytes
      },
      nextOffset: (topic, partition) =>
        isHit('acknowledgement without offset') ? -1 : inner.nextOffset(topic, partition),
      sendOffsets: (group, offsets) =>
        ask(async () => {
          if (isHit('offsets refused')) throw new TransactionAbortableError('the transaction was lost')
          await inner.sendOffsets(group, offsets)
        }),
      commit: () =>
        ask(async () => {
          if (isAbortOnly) throw new TransactionAbortableError('records were refused')
          refuse(false)
          await inner.flush()
          refuse(true)
          if (isHit('commit refused')) throw new TransactionAbortableError('the transaction was lost')
          if (isHit('commit lost on its way')) throw unknownEnd()
          await inner.commit()
          if (isHit('answer to the commit lost')) throw unknownEnd()
        }),
      abort: () =>
        ask(async () => {
          await inner.abort()
          isAbortOnly = false
        }),
      commitOffsets: (group, offsets) => ask(() => inner.commitOffsets(group, offsets)),
      // The transaction of one whose end is unknown is left as it is.
      close: () => (fatal !== null && isTransactional ? Promise.resolve() : ask(() => inner.close())),
    }
  }

  #mayFail(what: string): void {
    const { random, probability, count } = this.#faults
    if (!random.chance(probability / 4)) return
    count(`${what} failed`)
    throw new BrokerError('BROKER_UNAVAILABLE', `${what}: no answer`, { retryable: true, written: 'unknown' })
  }

  /** Nothing gets past here while the process is stopped, and ever after it was killed. */
  async #gate(): Promise<void> {
    while (this.#stopped !== null && !this.isKilled) await this.#stopped.promise
    // A promise of its own: one for all would keep all that ever waited for it.
    if (this.isKilled) await new Promise<never>(() => undefined)
  }
}
