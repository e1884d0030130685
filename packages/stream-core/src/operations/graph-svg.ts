import { layoutOf, type PlacedNode, textLeft, textStep, textTop } from './graph-layout.ts'
import { escaped } from './html-escape.ts'
import { count, plural, rate, span } from './phrases.ts'
import type { NodeView, SubtopologyView } from './topology-view.ts'

/** What waits for longer than this is marked in the picture. */
const lateMs = 30_000
const margin = 8

/** A sub-topology as a picture. It says nothing that the table of nodes does not say. */
export function graphSvg(view: SubtopologyView): string {
  const layout = layoutOf(view, linesOf)
  const width = Math.ceil(layout.width + margin * 2)
  const height = Math.ceil(layout.height + margin * 2)
  const id = `graph-${view.id}`
  const edges = layout.edges.map(({ from, to }) => {
    const [x1, y1] = [from.x + from.width + margin, from.y + from.height / 2 + margin]
    const [x2, y2] = [to.x + margin, to.y + to.height / 2 + margin]
    const bend = Math.max(16, (x2 - x1) / 2)
    const d = `M${x1} ${r(y1)}C${r(x1 + bend)} ${r(y1)} ${r(x2 - bend)} ${r(y2)} ${x2} ${r(y2)}`
    return `<path class="edge ${flowOf(to.node)}" d="${d}"/>`
  })
  const label = `${titleOf(view)}: ${plural(view.nodes.length, 'node')}; the table below says the same`
  return (
    `<svg class="graph" role="img" aria-labelledby="${id}" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">` +
    `<title id="${id}">${escaped(label)}</title>${edges.join('')}${layout.nodes.map(nodeSvg).join('')}</svg>`
  )
}

export function titleOf({ id, isGlobal, isAsync, tasks }: SubtopologyView): string {
  if (isGlobal) return `Part ${id}, global: every instance reads all of it`
  const all = Object.values(tasks).reduce((sum, number) => sum + number, 0)
  return `Part ${id}${isAsync ? ', asynchronous' : ''}: ${count(tasks.running)} of ${plural(all, 'task')} run`
}

const r = (value: number): number => Math.round(value * 10) / 10

/** Records, and what is wrong; what it is connected to; topics and stores. */
function linesOf({ name, kind, topics, stores, perSecond, lag, lagMs, dropped }: NodeView): readonly string[] {
  const numbers = [
    ...(perSecond === null ? [] : [rate(perSecond)]),
    ...(lag !== null && lag > 0 ? [`${count(lag)} wait`] : []),
    ...(lagMs !== null && lagMs > lateMs ? [span(lagMs)] : []),
  ]
  const sum = dropped.reduce((all, { count: records }) => all + records, 0)
  return [
    name,
    ...(topics.length > 0 ? [`${kind === 'sink' ? '→' : '←'} ${topics.join(', ')}`] : []),
    ...(stores.length > 0 ? [`▤ ${stores.join(', ')}`] : []),
    ...(numbers.length > 0 ? [numbers.join(' · ')] : []),
    ...(sum > 0 ? [`▲ ${count(sum)} dropped`] : []),
  ]
}

function nodeSvg({ node, x, y, width, height, lines }: PlacedNode): string {
  const isWrong = node.dropped.length > 0 || (node.lagMs ?? 0) > lateMs
  const texts = lines.map((line, i) => {
    const kind = i === 0 ? 'name' : line.startsWith('▲') ? 'wrong' : 'more'
    return `<text class="${kind}" x="${textLeft}" y="${textTop + i * textStep}">${escaped(line)}</text>`
  })
  const full = [node.name, ...node.topics, ...node.stores].join(', ')
  return (
    `<g class="node ${node.kind}${isWrong ? ' attention' : ''}" transform="translate(${r(x + margin)} ${r(y + margin)})">` +
    `<title>${escaped(full)}</title>` +
    `<rect width="${width}" height="${height}" rx="${node.kind === 'processor' ? 5 : 13}"/>${texts.join('')}</g>`
  )
}

/** How much goes there, in four widths of a line. */
function flowOf({ perSecond }: NodeView): string {
  if (perSecond === null || perSecond < 0.05) return 'still'
  return perSecond < 10 ? 'some' : perSecond < 1000 ? 'much' : 'most'
}
