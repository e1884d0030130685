import { knownOptions, oneOf } from '../common/choice.ts'
import { ArgumentError } from '../common/errors.ts'
import { matchesTopic } from '../topology/topic-pattern.ts'
import type { Topology } from '../topology/topology.ts'
import type { TopologyTestDriverOptions } from './topology-test-driver.ts'

const names = [
  'applicationId',
  'wallClockStartMs',
  'cacheMaxBytes',
  'emitIntervalMs',
  'partitions',
  'commits',
  'processingGuarantee',
  'handlers',
]

/** A test that says something the driver does not know would test something else. */
export function checkDriverOptions(topology: Topology, options: TopologyTestDriverOptions): void {
  knownOptions('TopologyTestDriver', options, names)
  const { commits = 'manual', processingGuarantee = 'exactly-once', partitions, handlers = {} } = options
  oneOf('commits', commits, ['each-record', 'manual'])
  oneOf('processingGuarantee', processingGuarantee, ['exactly-once', 'at-least-once'])
  knownOptions('handlers', handlers, ['deserialization', 'processing'])
  for (const name of ['wallClockStartMs', 'cacheMaxBytes', 'emitIntervalMs'] as const) {
    const value = options[name] ?? 0
    if (Number.isSafeInteger(value) && value >= 0) continue
    throw new ArgumentError(name, `${name} must be a whole number, 0 or more; got ${JSON.stringify(value)}`)
  }
  if (typeof partitions === 'object') for (const topic of Object.keys(partitions)) checkTopic(topology, topic)
}

function checkTopic(topology: Topology, topic: string): void {
  const isUsed = topology.nodes.some(
    (node) =>
      (node.kind === 'source' &&
        (node.topics.includes(topic) || (node.pattern !== null && matchesTopic(node.pattern, topic)))) ||
      (node.kind === 'sink' && (node.topic === topic || typeof node.topic === 'function')),
  )
  if (!isUsed) throw new ArgumentError('partitions', `the topology neither reads nor writes the topic "${topic}"`)
}
