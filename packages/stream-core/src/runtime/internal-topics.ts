import type { Admin, TopicDescription, TopicSpec } from '../broker/broker.ts'
import { ConfigError } from '../common/errors.ts'
import { matchesTopic } from '../topology/topic-pattern.ts'
import type { Topology } from '../topology/topology.ts'
import { computePartitionCounts } from './partition-counts.ts'

/** Internal topics carry the application id, user topics do not. */
export function topicNames(topology: Topology, applicationId: string): (name: string) => string {
  const internal = new Set(topology.repartitionTopics.map((topic) => topic.name))
  return (name) => (internal.has(name) ? `${applicationId}-${name}` : name)
}

export const changelogTopic = (applicationId: string, store: string): string => `${applicationId}-${store}-changelog`

/** By store: the topic it is restored from; undefined: none. */
export const changelogTopics =
  (topology: Topology, applicationId: string): ((store: string) => string | undefined) =>
  (store) => {
    const source = topology.sourceChangelogs.get(store)
    if (source !== undefined) return topicNames(topology, applicationId)(source)
    const spec = topology.stores.find(({ name }) => name === store)
    return spec === undefined || spec.logging === null ? undefined : changelogTopic(applicationId, store)
  }

export interface TopicFacts {
  /** Partitions of every topic the topology reads or may write, by the log's name. */
  readonly partitionCounts: ReadonlyMap<string, number>
  readonly topicIds: ReadonlyMap<string, string>
  /** By sub-topology: the topics its tasks read, by the log's names, those that patterns match included. */
  readonly inputTopics: ReadonlyMap<number, readonly string[]>
}

/**
 * Looks at the topics a topology uses, computes the partition counts of its repartition topics, and creates what is
 * internal and missing. A user topic that does not exist, or an internal one of another width, is a ConfigError: writing
 * into it would send keys to the wrong tasks.
 */
export async function prepareTopics(
  topology: Topology,
  applicationId: string,
  admin: Admin,
  deadLetterTopic: string | null = null,
): Promise<TopicFacts> {
  const nameOf = topicNames(topology, applicationId)
  const internal = new Set(topology.repartitionTopics.map((topic) => nameOf(topic.name)))
  const inputTopics = await findInputs(topology, nameOf, admin)
  const used = new Set([...inputTopics.values()].flat())
  if (deadLetterTopic !== null) used.add(deadLetterTopic)
  for (const { sourceTopics, sinkTopics } of topology.subtopologies) {
    for (const topic of [...sourceTopics, ...sinkTopics]) used.add(nameOf(topic))
  }
  const known = await admin.describeTopics([...used])
  const missing = [...used].filter((topic) => !internal.has(topic) && !known.has(topic))
  if (missing.length > 0) {
    throw new ConfigError('topology', `these topics do not exist: ${missing.join(', ')}. Create them before the start`)
  }
  const counts = new Map<string, number>()
  for (const topic of used) if (!internal.has(topic)) counts.set(topic, known.get(topic)!.partitionCount)
  computePartitionCounts(topology, nameOf, counts, inputTopics)

  const specs: TopicSpec[] = topology.repartitionTopics.map(({ name }) => ({
    topic: nameOf(name),
    partitions: counts.get(nameOf(name))!,
    configs: {
      'cleanup.policy': 'delete',
      'segment.bytes': '52428800',
      'retention.ms': '-1',
      'message.timestamp.type': 'CreateTime',
    },
  }))
  for (const { id, storeNames, isGlobal } of topology.subtopologies) {
    if (isGlobal) continue
    const partitions = Math.max(...inputTopics.get(id)!.map((topic) => counts.get(topic)!))
    for (const store of topology.stores) {
      if (store.logging === null || !storeNames.includes(store.name)) continue
      specs.push({ topic: changelogTopic(applicationId, store.name), partitions, configs: store.logging })
    }
  }
  checkInternal(specs, await admin.describeTopics(specs.map(({ topic }) => topic)))
  await admin.createTopics(specs)
  // A topic that is chosen for each record may be any that there is.
  const choosable = topology.nodes.some((node) => node.kind === 'sink' && typeof node.topic === 'function')
    ? await admin.listTopics()
    : []
  const described = await admin.describeTopics([
    ...new Set([...used, ...choosable, ...specs.map((spec) => spec.topic)]),
  ])
  return {
    partitionCounts: new Map([...described].map(([topic, { partitionCount }]) => [topic, partitionCount])),
    topicIds: new Map([...described].map(([topic, { topicId }]) => [topic, topicId])),
    inputTopics,
  }
}

/** Internal topics that exist have the width that is needed, or the input topics have changed. */
function checkInternal(specs: readonly TopicSpec[], existing: ReadonlyMap<string, TopicDescription>): void {
  for (const { topic, partitions } of specs) {
    const actual = existing.get(topic)?.partitionCount ?? partitions
    if (actual === partitions) continue
    throw new ConfigError(
      'applicationId',
      `the internal topic ${topic} has ${actual} partitions where ${partitions} are needed: ` +
        'the input topics have changed. Reset the application, or use another applicationId',
    )
  }
}

/** The topics of each sub-topology. A topic that two sources claim is the topology's fault, and a ConfigError. */
async function findInputs(
  topology: Topology,
  nameOf: (name: string) => string,
  admin: Admin,
): Promise<ReadonlyMap<number, readonly string[]>> {
  const patterns = topology.nodes.flatMap((node) =>
    node.kind === 'source' && node.pattern !== null ? [{ name: node.name, pattern: node.pattern }] : [],
  )
  const all = patterns.length === 0 ? [] : [...(await admin.listTopics())].sort()
  const claimed = new Map<string, string>()
  const inputs = new Map<number, readonly string[]>()
  for (const { id, sourceTopics, nodeNames, isGlobal } of topology.subtopologies) {
    const topics = new Set(sourceTopics.map(nameOf))
    for (const { name, pattern } of patterns) {
      if (!nodeNames.includes(name)) continue
      for (const topic of all.filter((candidate) => matchesTopic(pattern, candidate))) {
        const other = claimed.get(topic)
        if (other !== undefined) {
          throw new ConfigError('topology', `the topic ${topic} matches the patterns of both "${other}" and "${name}"`)
        }
        claimed.set(topic, name)
        topics.add(topic)
      }
      if (topics.size === 0) {
        throw new ConfigError('topology', `no topic matches ${String(pattern)}, the pattern of "${name}": create one`)
      }
    }
    if (!isGlobal) inputs.set(id, [...topics])
  }
  return inputs
}
