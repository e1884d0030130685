import type { Broker } from '../../src/index.ts'

/** Every record of a topic that a read_committed reader sees, as text, partition by partition. */
export async function readAll(
  broker: Broker,
  topic: string,
): Promise<{ key: string | null; value: string | null; partition: number }[]> {
  const description = (await broker.admin.describeTopics([topic])).get(topic)
  if (!description) return []
  const partitions = Array.from({ length: description.partitionCount }, (_, partition) => ({ topic, partition }))
  const starts = await broker.admin.listOffsets(partitions, 'earliest')
  const ends = await broker.admin.listOffsets(partitions, 'latest-stable')
  const reader = broker.openReader()
  reader.assign(partitions.map((partition, i) => ({ ...partition, offset: starts[i]! })))
  const left = new Set(partitions.filter((_, i) => starts[i]! < ends[i]!).map(({ partition }) => partition))
  const found: { key: string | null; value: string | null; partition: number }[] = []
  while (left.size > 0) {
    for (const { partition, records } of await reader.poll(1000)) {
      while (records.next()) {
        found.push({
          key: records.key()?.toString() ?? null,
          value: records.value()?.toString('latin1') ?? null,
          partition,
        })
      }
      if (records.position >= ends[partition]!) left.delete(partition)
    }
  }
  await reader.close()
  return found
}

/** Waits until `condition` holds; fails with `what` after the deadline. */
export async function eventually(
  what: string,
  condition: () => boolean | Promise<boolean>,
  deadlineMs = 10_000,
): Promise<void> {
  const end = Date.now() + deadlineMs
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
