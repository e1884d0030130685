import type {
  Admin,
  CommittedOffset,
  GroupMemberDescription,
  OffsetSpec,
  TopicDescription,
  TopicSpec,
} from '../../broker/broker.ts'
import { checkWidths } from '../../broker/topic-widths.ts'
import type { TopicPartition } from '../../common/record.ts'
import type { LogStore } from './log-store.ts'

export class EmbeddedAdmin implements Admin {
  readonly #store: LogStore

  constructor(store: LogStore) {
    this.#store = store
  }

  /** Nothing is asked of a log that is closed. */
  get #log(): LogStore {
    this.#store.checkOpen()
    return this.#store
  }

  async clusterId(): Promise<string> {
    return this.#log.clusterId
  }

  async describeTopics(topics: readonly string[]): Promise<ReadonlyMap<string, TopicDescription>> {
    const found = new Map<string, TopicDescription>()
    for (const topic of topics) {
      const description = this.#log.describe(topic)
      if (description) found.set(topic, description)
    }
    return found
  }

  async listTopics(): Promise<readonly string[]> {
    return this.#log.topics
  }

  async createTopics(specs: readonly TopicSpec[]): Promise<void> {
    checkWidths(specs, await this.describeTopics(specs.map(({ topic }) => topic)))
    await this.#log.createTopics(specs)
  }

  async deleteTopics(topics: readonly string[]): Promise<void> {
    return this.#log.deleteTopics(topics)
  }

  async listOffsets(partitions: readonly TopicPartition[], at: OffsetSpec): Promise<readonly number[]> {
    return partitions.map(({ topic, partition }) => {
      const log = this.#log.partition(topic, partition)
      if (at === 'earliest') return log.logStartOffset
      if (typeof at === 'object') return log.offsetAt(at.timestampMs)
      return at === 'latest' ? log.highWatermark : log.lastStableOffset
    })
  }

  async committedOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
    options: { readonly requireStable: boolean },
  ): Promise<readonly CommittedOffset[]> {
    if (options.requireStable) await this.#waitUntilStable(groupId, partitions)
    return partitions.map(({ topic, partition }) => this.#log.committedOffset(groupId, topic, partition))
  }

  async listGroups(): Promise<readonly string[]> {
    return [...new Set([...this.#log.groups.ids, ...this.#log.groupsWithOffsets])].sort()
  }

  async groupMembers(groupId: string): Promise<readonly GroupMemberDescription[]> {
    return this.#log.groups.members(groupId)
  }

  async groupOffsets(groupId: string): Promise<readonly CommittedOffset[]> {
    return this.#log.groupOffsets(groupId)
  }

  async deleteGroupOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<void> {
    return this.#log.deleteOffsets(groupId, partitions)
  }

  async abortTransactions(isGone: (transactionalId: string) => boolean): Promise<readonly string[]> {
    const open = [...this.#log.epochs].filter(([, { producerId }]) => this.#log.transactions.has(producerId))
    const gone = open.map(([id]) => id).filter(isGone)
    for (const id of gone) await this.#log.openTransactionalId(id)
    return gone
  }

  async deleteRecords(before: readonly (TopicPartition & { readonly offset: number })[]): Promise<void> {
    await this.#log.commits.run(() => {
      for (const { topic, partition, offset } of before) this.#log.partition(topic, partition).deleteBelow(offset)
    })
  }

  async #waitUntilStable(groupId: string, partitions: readonly TopicPartition[]): Promise<void> {
    const isPending = (): boolean => {
      for (const offsets of this.#log.pendingOffsets) {
        for (const pending of offsets.get(groupId) ?? []) {
          if (partitions.some((p) => p.topic === pending.topic && p.partition === pending.partition)) return true
        }
      }
      return false
    }
    while (isPending()) {
      await new Promise<void>((resolve) => {
        const stop = this.#log.onChange(() => {
          stop()
          resolve()
        })
      })
    }
  }
}
