import { ArgumentError, TopologyError } from '../common/errors.ts'
import { readAlike, type Serde } from '../common/serde.ts'
import { dropNullKeys } from '../operators/drop-null-keys.ts'
import { pass } from '../operators/pass.ts'
import type { StreamPartitioner } from '../topology/node.ts'
import { type BuildContext, requiredSerde } from './build-context.ts'
import { GraphNode, type RepartitionDetails } from './graph/graph-node.ts'

const looksGenerated = /^KSTREAM.*-[0-9]{10}$/

export interface RepartitionOptions {
  readonly name: string
  readonly key: Serde<unknown> | null
  readonly value: Serde<unknown> | null
  readonly isNamedByUser: boolean
  readonly isOptimizable: boolean
  readonly partitions?: number | null
  readonly partitioner?: StreamPartitioner | null
}

/**
 * A node that sends a stream through a repartition topic, so that equal keys meet in one task. Names, and the order in which
 * the counter moves, are Kafka Streams': sink, filter, source (reference §5.8). The node is named as its source.
 */
export function repartitionNode(context: BuildContext, options: RepartitionOptions): GraphNode {
  const { name, key, value, isOptimizable, isNamedByUser, partitions = null, partitioner = null } = options
  const { names, builder } = context
  if (partitions !== null && !(Number.isSafeInteger(partitions) && partitions > 0) && !context.javaRules) {
    throw new ArgumentError('partitions', `"${name}" needs a whole number of partitions, 1 or more; got ${partitions}`)
  }
  const topic = name.endsWith('-repartition') ? name : `${name}-repartition`
  if (!isNamedByUser) builder.noteGeneratedName({ kind: 'repartition', name: topic })
  // The counter moves also where the names come from the user's.
  const generated = {
    sink: names.node('KSTREAM-SINK'),
    filter: names.node('KSTREAM-FILTER'),
    source: names.node('KSTREAM-SOURCE'),
  }
  const node = (part: 'sink' | 'filter' | 'source'): string =>
    looksGenerated.test(name) ? generated[part] : `${topic}-${part}`
  const repartition: RepartitionDetails = { topic, key, value, dropsNullKeys: true }
  const made: GraphNode = new GraphNode(
    node('source'),
    { kind: 'repartition', isOptimizable, repartition },
    (to, parents) => {
      const where = `the repartition topic "${topic}"`
      const keySerde = requiredSerde(context, key, 'key', where, 'the option key of the operator that needs it')
      const valueSerde = requiredSerde(context, value, 'value', where, 'the option value of the operator that needs it')
      to.addRepartitionTopic({ name: topic, partitions })
      to.addProcessor({ name: node('filter'), parents, supplier: repartition.dropsNullKeys ? dropNullKeys() : pass() })
      const sink = {
        name: node('sink'),
        parents: [node('filter')],
        topic,
        key: keySerde,
        value: valueSerde,
        partitioner,
      }
      if (made.getsValuesAsRead && !context.javaRules) to.addPassingSink(sink)
      else to.addSink(sink)
      // What is in it was written by us: nobody has to read it only to see whether it can be read.
      const isIgnored = !context.javaRules && made.children.every(({ ignoresValues }) => ignoresValues)
      const read = isIgnored ? unread(valueSerde) : valueSerde
      to.addSource({ name: node('source'), topics: [topic], key: keySerde, value: read })
    },
  )
  return made
}

/** Of values of which only their presence counts. */
const unread = (serde: Serde<unknown>): Serde<unknown> => ({
  name: serde.name,
  write: (value, out, context) => serde.write(value, out, context),
  read: () => true,
})

/** One topic in place of several behind the same change of key: named after the first, with the first serdes known. */
export function mergedRepartition(context: BuildContext, topic: string, nodes: readonly GraphNode[]): GraphNode {
  const merged = nodes.flatMap(({ details }) => (details.kind === 'repartition' ? [details.repartition] : []))
  // Java takes the first one's for all.
  if (context.inheritsSerdes) for (const part of ['key', 'value'] as const) refuseOthers(merged, part)
  return repartitionNode(context, {
    name: topic,
    key: merged.find(({ key }) => key !== null)?.key ?? null,
    value: merged.find(({ value }) => value !== null)?.value ?? null,
    isNamedByUser: true,
    isOptimizable: true,
  })
}

function refuseOthers(merged: readonly RepartitionDetails[], part: 'key' | 'value'): void {
  const first = merged.find((one) => one[part] !== null)
  const other = merged.find((one) => one[part] !== null && !readAlike(one[part], first![part]!))
  if (other === undefined) return
  throw new TopologyError(
    `"${first!.topic}" and "${other.topic}" become one topic by merge.repartition.topics, and have another ${part} each: ` +
      `give both the same serde, or leave that optimization out`,
    [first!.topic, other.topic],
  )
}
