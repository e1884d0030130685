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

  async clusterId(): Promise<string> {
    return this.#store.clusterId
  }

  async describeTopics(topics: readonly string[]): Promise<ReadonlyMap<string, TopicDescription>> {
    const found = new Map<string, TopicDescription>()
    for (const topic of topics) {
      const description = this.#store.describe(topic)
      if (description) found.set(topic, description)
    }
    return found
  }

  async listTopics(): Promise<readonly string[]> {
    return this.#store.topics
  }

  async createTopics(specs: readonly TopicSpec[]): Promise<void> {
    checkWidths(specs, await this.describeTopics(specs.map(({ topic }) => topic)))
    await this.#store.createTopics(specs)
  }

  deleteTopics(topics: readonly string[]): Promise<void> {
    return this.#store.deleteTopics(topics)
  }

  async listOffsets(partitions: readonly TopicPartition[], at: OffsetSpec): Promise<readonly number[]> {
    return partitions.map(({ topic, partition }) => {
      const log = this.#store.partition(topic, partition)
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
    return partitions.map(({ topic, partition }) => this.#store.committedOffset(groupId, topic, partition))
  }

  async listGroups(): Promise<readonly string[]> {
    return [...new Set([...this.#store.groups.ids, ...this.#store.groupsWithOffsets])].sort()
  }

  async groupMembers(groupId: string): Promise<readonly GroupMemberDescription[]> {
    return this.#store.groups.members(groupId)
  }

  async groupOffsets(groupId: string): Promise<readonly CommittedOffset[]> {
    return this.#store.groupOffsets(groupId)
  }

  deleteGroupOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<void> {
    return this.#store.deleteOffsets(groupId, partitions)
  }

  async abortTransactions(isGone: (transactionalId: string) => boolean): Promise<readonly string[]> {
    const open = [...this.#store.epochs].filter(([, { producerId }]) => this.#store.transactions.has(producerId))
    const gone = open.map(([id]) => id).filter(isGone)
    for (const id of gone) await this.#store.openTransactionalId(id)
    return gone
  }

  async deleteRecords(before: readonly (TopicPartition & { readonly offset: number })[]): Promise<void> {
    await this.#store.commits.run(() => {
      for (const { topic, partition, offset } of before) this.#store.partition(topic, partition).deleteBelow(offset)
    })
  }

  async #waitUntilStable(groupId: string, partitions: readonly TopicPartition[]): Promise<void> {
    const isPending = (): boolean => {
      for (const offsets of this.#store.pendingOffsets) {
        for (const pending of offsets.get(groupId) ?? []) {
          if (partitions.some((p) => p.topic === pending.topic && p.partition === pending.partition)) return true
        }
      }
      return false
    }
    while (isPending() && !this.#store.closed) {
      await new Promise<void>((resolve) => {
        const stop = this.#store.onChange(() => {
          stop()
          resolve()
        })
      })
    }
  }
}
