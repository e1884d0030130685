import type { Raw } from '../runner/format.ts'
import { type Draft, present } from './draft.ts'
import { canRoute, chooseProcessor } from './processors.ts'
import { timestampExtractor } from './source-steps.ts'
import { isSameType, type KeyType, type Plain, serdeOf } from './types.ts'

/** A node that others may be put below, and what it forwards. */
interface Node {
  readonly name: string
  readonly key: KeyType
  readonly value: Plain
}

/** A topology of sources, processors and sinks, built by hand. */
export function lowLevelTopology(draft: Draft): void {
  const { random } = draft
  const nodes: Node[] = Array.from({ length: random.whole(1, 3) }, () => source(draft))
  const parents = new Set<string>()
  for (let left = random.whole(1, 6); left > 0; left--) {
    const node = random.pick(nodes)
    parents.add(node.name)
    if (canRoute(node.value) && random.chance(0.12)) nodes.push(...route(draft, node))
    else nodes.push(processor(draft, node, nodes))
  }
  for (const node of nodes) if (!parents.has(node.name) || random.chance(0.2)) sink(draft, node)
}

function source(draft: Draft): Node {
  const { random } = draft
  const key = random.pick(['string', 'string', 'string', 'long'] as const)
  const value = random.pick(['string', 'string', 'string', 'long', 'integer'] as const)
  const extractor = random.maybe(0.1, () => timestampExtractor(draft, value))
  const topics = [draft.inputTopic('in', key, value, extractor)]
  if (random.chance(0.2)) topics.push(draft.inputTopic('in', key, value, extractor))
  const name = draft.fresh('source-')
  draft.endStep('addSource', {
    name,
    topics,
    keySerde: key,
    valueSerde: value,
    timestampExtractor: extractor,
  })
  return { name, key, value }
}

/** The node, and now and then others that forward the same, as parents. */
function parentsOf(draft: Draft, node: Node, nodes: readonly Node[]): string[] {
  const alike = nodes.filter((each) => each !== node && isSameType(each.key, node.key) && each.value === node.value)
  return [node.name, ...alike.filter(() => draft.random.chance(0.15)).map(({ name }) => name)]
}

function processor(draft: Draft, node: Node, nodes: readonly Node[]): Node {
  const name = draft.fresh('processor-')
  const chosen = chooseProcessor(draft, node.key, node.value, true)
  const how = chosen.store === undefined ? 'none' : draft.random.pick(['own', 'added', 'connected'])
  draft.endStep('addProcessor', {
    name,
    processor: chosen.processor,
    parents: parentsOf(draft, node, nodes),
    ownStores: how === 'own' ? [chosen.store!] : undefined,
  })
  if (how === 'added') draft.endStep('addStateStore', { store: chosen.store!, processors: [name] })
  if (how === 'connected') {
    draft.endStep('addStateStore', { store: chosen.store! })
    draft.endStep('connectProcessorAndStateStores', { processor: name, stores: [chosen.store!['name']!] })
  }
  return { name, key: chosen.key, value: chosen.value }
}

function route(draft: Draft, node: Node): Node[] {
  const [name, even, odd] = [draft.fresh('route-'), draft.fresh('even-'), draft.fresh('odd-')]
  draft.endStep('addProcessor', { name, processor: { type: 'route', even, odd }, parents: [node.name] })
  return [even, odd].map((child) => {
    draft.endStep('addProcessor', { name: child, processor: { type: 'forward' }, parents: [name] })
    return { ...node, name: child }
  })
}

function sink(draft: Draft, { name, key, value }: Node): void {
  const fields: Raw = present({
    name: draft.fresh('sink-'),
    topic: draft.outputTopic(key, value),
    keySerde: serdeOf(key),
    valueSerde: value,
    parents: [name],
  })
  draft.endStep('addSink', fields)
}
