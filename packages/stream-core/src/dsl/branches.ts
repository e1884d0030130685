import { ArgumentError } from '../common/errors.ts'
import { branch } from '../operators/branch.ts'
import { pass } from '../operators/pass.ts'
import { state } from './build-context.ts'
import { GraphNode } from './graph/graph-node.ts'
import type { KStream } from './kstream.ts'
import type { Named } from './options.ts'

export type BranchPredicate<K, V> = ((key: K, value: V) => boolean) | 'otherwise'

/**
 * Where `split` sends records: to the first branch, in the order written (names that are whole numbers come first, as in every
 * object), whose predicate holds. `'otherwise'` takes what no other took; without it such records are left out, and counted. A `name` is put behind the split's own.
 */
export interface Branches<K, V> {
  readonly [branch: string]: BranchPredicate<K, V> | { readonly when: BranchPredicate<K, V>; readonly name?: string }
}

/** A predicate that is a type guard narrows its branch: `split({ votes: (key, value): value is Vote => … })`. */
type Narrowed<P, V> = P extends { readonly when: infer W }
  ? Narrowed<W, V>
  : P extends ((key: never, value: any) => value is infer N) // oxlint-disable-line no-explicit-any -- a guard's input is free
    ? N
    : V

export type BranchStreams<K, V, B> = { readonly [P in keyof B]: KStream<K, Narrowed<B[P], V>> }

export function splitStream<K, V, B extends Branches<K, V>>(
  stream: KStream<K, V>,
  branches: B,
  options: Named,
): BranchStreams<K, V, B> {
  const mine = stream[state]
  const { names, graph } = mine.context
  const name = names.given(options.name, 'KSTREAM-BRANCH')
  const targets = branchTargets(name, branches)
  const node = new GraphNode(name, { kind: 'processor' }, (builder, parents) =>
    builder.addProcessor({ name, parents, supplier: branch(targets) as never }),
  )
  node.keepsValues = true
  graph.add(mine.node, node)
  const streams: { [branch: string]: KStream<K, V> } = {}
  for (const [key, { childName }] of Object.keys(branches).map((key, i) => [key, targets[i]!] as const)) {
    names.skip()
    const child = new GraphNode(childName, { kind: 'processor' }, (builder, parents) =>
      builder.addProcessor({ name: childName, parents, supplier: pass() }),
    )
    child.keepsValues = true
    graph.add(node, child)
    streams[key] = mine.context.stream({ ...mine, name: childName, node: child })
  }
  return streams as BranchStreams<K, V, B>
}

function branchTargets<K, V>(splitName: string, branches: Branches<K, V>) {
  const given = Object.values(branches).map((item) =>
    typeof item === 'function' || item === 'otherwise' ? { when: item, name: undefined } : item,
  )
  if (given.filter(({ when }) => when === 'otherwise').length > 1) {
    throw new ArgumentError('branches', `"${splitName}" has several branches for what no other takes`)
  }
  let index = 0
  return given.map(({ when, name }) => {
    const isDefault = when === 'otherwise'
    if (!isDefault) index++
    return { childName: `${splitName}${name ?? (isDefault ? 0 : index)}`, predicate: isDefault ? null : when }
  })
}
