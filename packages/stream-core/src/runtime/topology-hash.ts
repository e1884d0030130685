import { createHash } from 'node:crypto'
import type { Topology } from '../topology/topology.ts'

/** Equal for topologies with the same nodes, stores and topics: what instances of one application have in common. */
export const topologyHash = (topology: Topology): string =>
  createHash('sha256').update(topology.describe()).digest('hex').slice(0, 16)
