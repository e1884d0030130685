import type { TopicPartition } from '../common/record.ts'

/** Partitions as Kafka's requests group them; topics and partitions in the order in which they come. */
export function partitionsByTopic(
  partitions: readonly TopicPartition[],
): { readonly topic: string; readonly partitions: number[] }[] {
  const byTopic = new Map<string, number[]>()
  for (const { topic, partition } of partitions) {
    const list = byTopic.get(topic)
    if (list) list.push(partition)
    else byTopic.set(topic, [partition])
  }
  return [...byTopic].map(([topic, list]) => ({ topic, partitions: list }))
}
