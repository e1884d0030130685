import type { NodeView, SubtopologyView } from './topology-view.ts'

export interface PlacedNode {
  readonly node: NodeView
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
  /** From top to bottom; the first is the name. */
  readonly lines: readonly string[]
}

export interface Layout {
  readonly width: number
  readonly height: number
  readonly nodes: readonly PlacedNode[]
  readonly edges: readonly { readonly from: PlacedNode; readonly to: PlacedNode }[]
}

/** Of the font that the page sets for it: every character is as wide. */
const charWidth = 6.65
const lineHeight = 15
const padding = 9
const layerGap = 28
const rowGap = 12
const charsMax = 28

/**
 * Places the nodes of a sub-topology in columns, from left to right: each behind its last parent; in rows as a tree, by first parents, which is
 * what most topologies are. Every leaf has a row of its own.
 */
export function layoutOf({ nodes }: SubtopologyView, linesOf: (node: NodeView) => readonly string[]): Layout {
  const known = new Set(nodes.map(({ name }) => name))
  const layers = new Map<string, number>()
  const children = new Map<string, NodeView[]>()
  const roots: NodeView[] = []
  // Parents come first in a topology.
  for (const node of nodes) {
    const parents = node.parents.filter((parent) => known.has(parent))
    layers.set(node.name, Math.max(-1, ...parents.map((parent) => layers.get(parent) ?? -1)) + 1)
    const [first] = parents
    if (first === undefined) roots.push(node)
    else children.set(first, [...(children.get(first) ?? []), node])
  }
  const rows = rowsOf(roots, children)
  const lines = new Map(nodes.map((node) => [node.name, linesOf(node).map(shortened)]))
  const sizes = new Map(
    nodes.map(({ name }) => {
      const own = lines.get(name)!
      const width = Math.ceil(Math.max(...own.map((line) => line.length)) * charWidth) + padding * 2
      return [name, { width, height: own.length * lineHeight + padding * 2 - 3 }]
    }),
  )
  const pitch = Math.max(0, ...[...sizes.values()].map(({ height }) => height)) + rowGap
  const lefts = layerLefts(nodes, layers, sizes)
  const placed = new Map<string, PlacedNode>()
  for (const [layer, left] of lefts.entries()) {
    const column = nodes.filter(({ name }) => layers.get(name) === layer)
    column.sort((a, b) => rows.get(a.name)! - rows.get(b.name)!)
    let least = 0
    for (const node of column) {
      const { width, height } = sizes.get(node.name)!
      const y = Math.max(least, rows.get(node.name)! * pitch + (pitch - rowGap - height) / 2)
      least = y + height + rowGap
      placed.set(node.name, { node, x: left, y, width, height, lines: lines.get(node.name)! })
    }
  }
  const all = nodes.map(({ name }) => placed.get(name)!)
  const edges = all.flatMap((to) =>
    to.node.parents.flatMap((parent) => {
      const from = placed.get(parent)
      return from === undefined ? [] : [{ from, to }]
    }),
  )
  return {
    width: Math.max(0, ...all.map(({ x, width }) => x + width)),
    height: Math.max(0, ...all.map(({ y, height }) => y + height)),
    nodes: all,
    edges,
  }
}

function rowsOf(
  roots: readonly NodeView[],
  children: ReadonlyMap<string, readonly NodeView[]>,
): ReadonlyMap<string, number> {
  const rows = new Map<string, number>()
  let next = 0
  // Without recursion: a topology may be deep.
  const stack = roots.map((node) => ({ node, isDone: false })).reverse()
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { node, isDone } = top
    const own = children.get(node.name) ?? []
    if (own.length === 0) rows.set(node.name, next++)
    else if (isDone) rows.set(node.name, (rows.get(own[0]!.name)! + rows.get(own.at(-1)!.name)!) / 2)
    else {
      stack.push({ node, isDone: true })
      for (const child of own.toReversed()) stack.push({ node: child, isDone: false })
    }
  }
  return rows
}

function layerLefts(
  nodes: readonly NodeView[],
  layers: ReadonlyMap<string, number>,
  sizes: ReadonlyMap<string, { readonly width: number }>,
): readonly number[] {
  const widths: number[] = []
  for (const { name } of nodes) {
    const layer = layers.get(name)!
    widths[layer] = Math.max(widths[layer] ?? 0, sizes.get(name)!.width)
  }
  let left = 0
  return widths.map((width) => {
    const own = left
    left += width + layerGap
    return own
  })
}

/** The middle is left out: names end with what tells them apart. */
function shortened(text: string): string {
  if (text.length <= charsMax) return text
  const half = (charsMax - 1) / 2
  return `${text.slice(0, Math.ceil(half))}…${text.slice(-Math.floor(half))}`
}

export const textTop = padding + 8
export const textLeft = padding
export const textStep = lineHeight
