import type { TopologyNode } from './node.ts'
import type { Topology } from './topology.ts'

/** A topology as a Mermaid flowchart: sub-topologies as frames, topics and stores beside the nodes that use them. */
export function mermaid(topology: Topology): string {
  const ids = new Map<string, string>()
  const idOf = (kind: 'n' | 't' | 's', name: string): string => {
    const key = `${kind} ${name}`
    const id = ids.get(key) ?? `${kind}${ids.size}`
    ids.set(key, id)
    return id
  }
  const nodes = new Map(topology.nodes.map((node) => [node.name, node]))
  const internal = new Set(topology.repartitionTopics.map(({ name }) => name))
  const frames: string[] = []
  const edges: string[] = []
  const topics = new Map<string, string>()
  const topic = (name: string): string => {
    const id = idOf('t', name)
    // Topics of the topology's own have an edge of dashes.
    topics.set(id, `  ${id}{{"${escaped(name)}"}}${internal.has(name) ? ':::internal' : ''}`)
    return id
  }
  for (const { id, nodeNames, isGlobal } of topology.subtopologies) {
    const lines: string[] = []
    const stores = new Set<string>()
    for (const name of nodeNames) {
      const node = nodes.get(name)!
      lines.push(`    ${idOf('n', name)}${shape(node)}`)
      const at = idOf('n', name)
      if (node.kind === 'source') {
        const from = node.pattern === null ? node.topics : [String(node.pattern)]
        for (const read of from) edges.push(`  ${topic(read)} --> ${at}`)
        continue
      }
      for (const parent of node.parents) edges.push(`  ${idOf('n', parent)} --> ${at}`)
      if (node.kind === 'sink') {
        const written = typeof node.topic === 'string' ? node.topic : `chosen by ${node.topic.name || 'a function'}`
        edges.push(`  ${at} --> ${topic(written)}`)
      } else {
        for (const store of node.stores) {
          stores.add(store)
          edges.push(`  ${at} -.- ${idOf('s', store)}`)
        }
      }
    }
    for (const store of stores) lines.push(`    ${idOf('s', store)}[("${escaped(store)}")]`)
    frames.push(`  subgraph sub${id}["sub-topology ${id}${isGlobal ? ' (global)' : ''}"]\n${lines.join('\n')}\n  end`)
  }
  return ['flowchart TD', ...topics.values(), ...frames, ...edges, '  classDef internal stroke-dasharray: 4 4'].join(
    '\n',
  )
}

const shape = ({ kind, name }: TopologyNode): string =>
  kind === 'processor' ? `["${escaped(name)}"]` : `(["${escaped(name)}"])`

/** Mermaid reads entities with # in its texts, and a browser reads what is left as HTML. */
const escaped = (text: string): string => text.replace(/[#"<>&`\\]/g, (char) => `#${char.charCodeAt(0)};`)
