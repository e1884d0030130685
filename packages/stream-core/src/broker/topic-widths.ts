import { ConfigError } from '../common/errors.ts'
import type { TopicDescription, TopicSpec } from './broker.ts'

/** Throws for topics that exist with another number of partitions than is asked for: who asked would send keys elsewhere. */
export function checkWidths(specs: readonly TopicSpec[], existing: ReadonlyMap<string, TopicDescription>): void {
  const different = specs.flatMap(({ topic, partitions }) => {
    const actual = existing.get(topic)?.partitionCount ?? partitions
    return actual === partitions ? [] : [`${topic} has ${actual} partitions where ${partitions} are asked for`]
  })
  if (different.length === 0) return
  throw new ConfigError(
    'partitions',
    `${different.join('; ')}: ask for as many as there are, or use another topic. Adding partitions would send keys to others than ` +
      'those where their earlier records, and their state, are',
  )
}
