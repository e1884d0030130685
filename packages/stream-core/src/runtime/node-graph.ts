import type { Record } from '../common/record.ts'
import type { TopologyNode } from '../topology/node.ts'
import type { Output } from './record-collector.ts'
import { type RunningNode, RunningProcessor, RunningSink } from './running-node.ts'
import type { TaskServices } from './task-services.ts'

/** The running nodes of one task, connected. */
export interface NodeGraph {
  /** Processors and sinks. */
  readonly nodes: readonly RunningNode[]
  readonly processors: readonly RunningProcessor[]
  /** By source: the nodes its records go to first. */
  readonly entry: ReadonlyMap<string, readonly RunningNode[]>
}

export const noNodes: NodeGraph = { nodes: [], processors: [], entry: new Map() }

/** Makes the nodes and connects each to its parents. Nodes come in building order: a child comes after its parents. */
export function buildNodes(
  nodes: readonly TopologyNode[],
  services: TaskServices,
  output: Output,
  topicName: (name: string) => string,
): NodeGraph {
  const processors: RunningProcessor[] = []
  const entry = new Map<string, RunningNode[]>()
  const built = new Map<string, RunningNode>()
  for (const node of nodes) {
    if (node.kind === 'source') {
      entry.set(node.name, [])
      continue
    }
    const running =
      node.kind === 'sink' ? new RunningSink(node, topicName, output, services) : new RunningProcessor(node, services)
    built.set(node.name, running)
    if (running instanceof RunningProcessor) processors.push(running)
    for (const parentName of node.parents) {
      const parent = built.get(parentName)
      if (parent instanceof RunningProcessor) parent.children.push(running)
      else entry.get(parentName)!.push(running)
    }
  }
  return { nodes: [...built.values()], processors, entry }
}

/** Hands a record to the nodes behind a source. */
export function enter(entry: readonly RunningNode[], record: Record<unknown, unknown>): void {
  for (let i = 0; i < entry.length; i++) entry[i]!.process(record)
}
