import { TopologyError } from '../../common/errors.ts'
import type { GraphNode } from './graph-node.ts'

/** How long after its end a window upstream may still change: the longest, where several lead here (GraphGraceSearchUtil). */
export function windowGrace(node: GraphNode, chain = ''): number {
  if (node.details.kind === 'windowed-aggregation') return node.details.graceMs
  const longer = chain === '' ? node.name : `${node.name}->${chain}`
  if (node.parents.length === 0) {
    throw new TopologyError(
      `only windows close: no windowed aggregation leads to this suppress (${longer}). Use a time limit instead`,
      [node.name],
    )
  }
  return Math.max(...node.parents.map((parent) => windowGrace(parent, longer)))
}
