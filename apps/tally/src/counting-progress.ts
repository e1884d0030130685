import { topics } from '@voting/election/topics'
import type { Broker, TopicPartition } from 'stream-core'

const lookMs = 50

export const partitionsOf = (topic: string, count: number): TopicPartition[] =>
  Array.from({ length: count }, (_, partition) => ({ topic, partition }))

export const effectsTopic = (applicationId: string): string => `${applicationId}-effects-repartition`

/** How far a tally has counted, seen from outside: by what it has committed. */
export class CountingProgress {
  readonly #broker: Broker
  readonly #applicationId: string
  readonly #partitionCount: number

  constructor(broker: Broker, applicationId: string, partitionCount: number) {
    this.#broker = broker
    this.#applicationId = applicationId
    this.#partitionCount = partitionCount
  }

  /** Records of `ballots` before `ends` that it has not read yet. */
  async unread(ends: readonly number[]): Promise<number> {
    return this.#unread(topics.ballots, ends)
  }

  /**
   * Resolves when all of `ballots` before `ends` is in results that are committed, or with false if that was not so within
   * `patienceMs`. `isOver` may throw what ends the waiting.
   *
   * First the ballots, then what they have led to by then: only then is the end of the effects the end. It is asked for
   * without regard to transactions: the positions of one may be seen before its marker has come to the effects, and until
   * then their stable end is that of the transaction before.
   */
  async untilCounted(
    ends: readonly number[],
    patienceMs: number,
    isOver: () => Promise<void> = async () => undefined,
  ): Promise<boolean> {
    const untilMs = Date.now() + patienceMs
    const within = async (unread: () => Promise<number>): Promise<boolean> => {
      while ((await unread()) > 0) {
        await isOver()
        if (Date.now() >= untilMs) return false
        await new Promise((resolve) => setTimeout(resolve, lookMs))
      }
      return true
    }
    if (ends.every((end) => end === 0)) return true
    if (!(await within(() => this.unread(ends)))) return false
    const topic = effectsTopic(this.#applicationId)
    const partitions = partitionsOf(topic, this.#partitionCount)
    const effectEnds = await this.#broker.admin.listOffsets(partitions, 'latest')
    return within(() => this.#unread(topic, effectEnds))
  }

  async #unread(topic: string, ends: readonly number[]): Promise<number> {
    const partitions = partitionsOf(topic, this.#partitionCount)
    const committed = await this.#broker.admin.committedOffsets(this.#applicationId, partitions, {
      requireStable: true,
    })
    return committed.reduce((sum, { offset }, i) => sum + Math.max(0, ends[i]! - Math.max(0, offset)), 0)
  }
}
