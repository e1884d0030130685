import { filter } from '../operators/filter.ts'
import { addProcessor, type Position, requireSerde } from './build-context.ts'

const looksGenerated = /^KSTREAM.*-[0-9]{10}$/

/**
 * Sends a stream through a repartition topic, so that equal keys meet in one task. Node names and the order in which the
 * counter moves are Kafka Streams': sink, filter, source (reference §5.8). Records without a key cannot be partitioned
 * and are left out here, as in Java.
 */
export function addRepartition(from: Position, name: string, partitions: number | null): Position {
  const { builder, names } = from.context
  const topic = `${name}-repartition`
  // The counter moves also where the names come from the user's.
  const generated = {
    sink: names.node('KSTREAM-SINK'),
    filter: names.node('KSTREAM-FILTER'),
    source: names.node('KSTREAM-SOURCE'),
  }
  const node = (part: 'sink' | 'filter' | 'source'): string =>
    looksGenerated.test(name) ? generated[part] : `${topic}-${part}`
  const sinkName = node('sink')
  const filterName = node('filter')
  const sourceName = node('source')
  const key = requireSerde(from.key, 'key', `the repartition topic "${topic}"`, 'grouped.key')
  const value = requireSerde(from.value, 'value', `the repartition topic "${topic}"`, 'grouped.value')
  builder.addRepartitionTopic({ name: topic, partitions })
  addProcessor(
    from,
    filterName,
    filter((recordKey) => recordKey !== null && recordKey !== undefined),
  )
  builder.addSink({ name: sinkName, parents: [filterName], topic, key, value, partitioner: null })
  builder.addSource({ name: sourceName, topics: [topic], key, value, timestampExtractor: null })
  return { ...from, nodeName: sourceName, key, value, isRepartitionRequired: false }
}
