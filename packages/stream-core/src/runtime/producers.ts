import type { Broker, LogProducer } from '../broker/broker.ts'

/** Tasks that share a producer, and so a transaction: those with asynchronous calls have one of their own (D10). */
export const commitGroupNames = ['main', 'async'] as const
export type CommitGroupName = (typeof commitGroupNames)[number]

/** The producers of an instance, one for each commit group it has. */
export class Producers {
  readonly #broker: Broker
  /** '': at-least-once, without transactions. */
  readonly #idPrefix: string
  readonly #open = new Map<CommitGroupName, LogProducer>()

  constructor(broker: Broker, idPrefix: string) {
    this.#broker = broker
    this.#idPrefix = idPrefix
  }

  of(group: CommitGroupName): LogProducer {
    return this.#open.get(group)!
  }

  /** Opens what is not open. That ends what an earlier instance left open, and fences that instance. */
  async open(groups: Iterable<CommitGroupName>): Promise<void> {
    for (const group of groups) {
      if (this.#open.has(group)) continue
      const options = this.#idPrefix === '' ? {} : { transactionalId: transactionalIdOf(this.#idPrefix, group) }
      this.#open.set(group, await this.#broker.openProducer(options))
    }
  }

  /**
   * Gives up what was not committed. One that cannot even abort is closed: a new one of the same id does that for it, also
   * for one that was fenced while the group took this instance for dead.
   */
  async abort(): Promise<void> {
    for (const [group, producer] of this.#open) {
      try {
        if (this.#idPrefix !== '') await producer.abort()
      } catch {
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

/** What an instance writes its transactions under: it stays with the state folder, so that a restart ends what was open. */
const transactionalIdOf = (prefix: string, group: CommitGroupName): string =>
  group === 'main' ? prefix : `${prefix}-${group}`

/** The process whose transactional id this is, Kafka Streams' included, or null if it is none of the application's. */
export function processOf(applicationId: string, transactionalId: string): string | null {
  if (!transactionalId.startsWith(`${applicationId}-`)) return null
  const rest = transactionalId.slice(applicationId.length + 1)
  return /^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?:-async|-\d+)?$/.exec(rest)?.[1] ?? null
}
