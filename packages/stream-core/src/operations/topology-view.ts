import { topicNames } from '../runtime/internal-topics.ts'
import type { TopologyNode } from '../topology/node.ts'
import { matchesTopic } from '../topology/topic-pattern.ts'
import type { Topology } from '../topology/topology.ts'
import type { InstanceReport, NodeReport } from './instance-report.ts'
import type { TaskView } from './task-views.ts'

export interface SubtopologyView {
  readonly id: number
  readonly isGlobal: boolean
  readonly isAsync: boolean
  /** How many of its tasks are doing what. */
  readonly tasks: { readonly [phase in TaskView['phase']]: number }
  readonly nodes: readonly NodeView[]
}

/** A node, over all tasks of all instances that answer. */
export interface NodeView {
  readonly name: string
  readonly kind: TopologyNode['kind']
  readonly parents: readonly string[]
  /** Of a source: what it reads; of a sink: what it writes. By the log's names. */
  readonly topics: readonly string[]
  readonly stores: readonly string[]
  /** Records that come to it, or out of a source; null: not known yet. */
  readonly perSecond: number | null
  /** Of a source: what waits in its topics. */
  readonly lag: number | null
  readonly lagMs: number | null
  readonly dropped: readonly { readonly reason: string; readonly count: number }[]
}

export function subtopologyViews(
  topology: Topology,
  applicationId: string,
  reports: readonly InstanceReport[],
  tasks: readonly TaskView[],
): readonly SubtopologyView[] {
  const topicName = topicNames(topology, applicationId)
  const nodes = new Map(topology.nodes.map((node) => [node.name, node]))
  const counted = byNode(reports)
  return topology.subtopologies.map(({ id, isGlobal, isAsync, nodeNames }) => {
    const own = tasks.filter(({ subtopology }) => subtopology === id)
    const phases = { running: 0, restoring: 0, moving: 0, unknown: 0, nobody: 0 }
    for (const { phase } of own) phases[phase]++
    const inputs = byTopic(own)
    return {
      id,
      isGlobal,
      isAsync,
      tasks: phases,
      nodes: nodeNames.map((name): NodeView => {
        const node = nodes.get(name)!
        const topics = topicsOf(node, topicName)
        const dropped = counted.get(name)?.dropped ?? []
        const common = { name, kind: node.kind, topics, dropped }
        if (node.kind !== 'source') {
          const stores = node.kind === 'processor' ? node.stores : []
          const perSecond = counted.get(name)?.perSecond ?? null
          return { ...common, parents: node.parents, stores, perSecond, lag: null, lagMs: null }
        }
        const isRead = (topic: string): boolean =>
          node.pattern === null ? topics.includes(topic) : matchesTopic(node.pattern, topic)
        const read = [...inputs].filter(([topic]) => isRead(topic)).map(([, input]) => input)
        return {
          ...common,
          parents: [],
          stores: [],
          perSecond: sum(read.map(({ perSecond }) => perSecond)),
          lag: sum(read.map(({ lag }) => lag)),
          lagMs: largest(read.map(({ lagMs }) => lagMs)),
        }
      }),
    }
  })
}

function topicsOf(node: TopologyNode, topicName: (name: string) => string): readonly string[] {
  if (node.kind === 'processor') return []
  if (node.kind === 'source') return node.pattern === null ? node.topics.map(topicName) : [String(node.pattern)]
  return [typeof node.topic === 'string' ? topicName(node.topic) : `chosen by ${node.topic.name || 'a function'}`]
}

type Known = readonly (number | null)[]
const sum = (values: Known): number | null =>
  values.reduce((all, value) => (value === null ? all : (all ?? 0) + value), null)
const largest = (values: Known): number | null =>
  values.reduce((all, value) => (value === null ? all : Math.max(all ?? 0, value)), null)

interface Flow {
  perSecond: number | null
  lag: number | null
  lagMs: number | null
}

function byTopic(tasks: readonly TaskView[]): ReadonlyMap<string, Flow> {
  const flows = new Map<string, Flow>()
  for (const { inputs } of tasks) {
    for (const { topic, perSecond, lag, lagMs } of inputs) {
      const flow = flows.get(topic) ?? { perSecond: null, lag: null, lagMs: null }
      flows.set(topic, {
        perSecond: sum([flow.perSecond, perSecond]),
        lag: sum([flow.lag, lag]),
        lagMs: largest([flow.lagMs, lagMs]),
      })
    }
  }
  return flows
}

/** Drops of a store are told under the store's name, and stay there. */
function byNode(reports: readonly InstanceReport[]): ReadonlyMap<string, Pick<NodeReport, 'perSecond' | 'dropped'>> {
  const nodes = new Map<string, { perSecond: number | null; dropped: Map<string, number> }>()
  for (const report of reports) {
    for (const { node: name, perSecond, dropped } of report.nodes) {
      let node = nodes.get(name)
      if (node === undefined) nodes.set(name, (node = { perSecond: null, dropped: new Map() }))
      node.perSecond = sum([node.perSecond, perSecond])
      for (const { reason, count } of dropped) node.dropped.set(reason, (node.dropped.get(reason) ?? 0) + count)
    }
  }
  return new Map(
    [...nodes].map(([name, { perSecond, dropped }]) => [
      name,
      { perSecond, dropped: [...dropped].map(([reason, count]) => ({ reason, count })) },
    ]),
  )
}
