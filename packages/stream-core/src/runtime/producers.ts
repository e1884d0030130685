import type { Broker, LogProducer } from '../broker/broker.ts'
import { FencedError } from '../common/errors.ts'

/** Tasks that share a producer, and so a transaction: those with asynchronous calls have one of their own (D10). */
export const commitGroupNames = ['main', 'async'] as const
export type CommitGroupName = (typeof commitGroupNames)[number]

/** The producers of an instance, one for each commit group it has. */
export class Producers {
  readonly #broker: Broker
  /** null: at-least-once, without transactions. */
  readonly #transactionalId: ((group: CommitGroupName) => string) | null
  readonly #open = new Map<CommitGroupName, LogProducer>()

  constructor(broker: Broker, applicationId: string, guarantee: 'exactly-once' | 'at-least-once') {
    this.#broker = broker
    this.#transactionalId =
      guarantee === 'exactly-once' ? (group) => (group === 'main' ? applicationId : `${applicationId}-${group}`) : null
  }

  of(group: CommitGroupName): LogProducer {
    return this.#open.get(group)!
  }

  /** Opens what is not open. That ends what an earlier instance left open, and fences that instance. */
  async open(groups: Iterable<CommitGroupName>): Promise<void> {
    for (const group of groups) {
      if (this.#open.has(group)) continue
      const transactionalId = this.#transactionalId?.(group)
      const options = transactionalId === undefined ? {} : { transactionalId }
      this.#open.set(group, await this.#broker.openProducer(options))
    }
  }

  /** Gives up what was not committed. One that cannot even abort is closed: a new one of the same id does that for it. */
  async abort(): Promise<void> {
    for (const [group, producer] of this.#open) {
      try {
        if (this.#transactionalId !== null) await producer.abort()
      } catch (error) {
        if (error instanceof FencedError) throw error
        this.#open.delete(group)
        await producer.close().catch(() => undefined)
      }
    }
  }

  async close(): Promise<void> {
    for (const producer of this.#open.values()) await producer.close()
    this.#open.clear()
  }
}
