import type { ProcessorSupplier } from '../processor/processor.ts'
import { tableJoinMerge, tableJoinSide } from '../operators/table-table-join.ts'
import { joinedGetter, storeGetter, type TableJoinKind } from '../operators/value-getter.ts'
import { copartitioned, erased, state, united } from './build-context.ts'
import { GraphNode } from './graph/graph-node.ts'
import type { KTable } from './ktable.ts'
import type { Named, StoreOptions } from './options.ts'
import { keyValueSpec, type Materialized, materialized } from './store-specs.ts'
import { TableSource } from './table-source.ts'

type Joiner = (left: unknown, right: unknown, key: unknown) => unknown
type Supplier = ProcessorSupplier<unknown, unknown>

/** Two tables by their key (KTableImpl#doJoin): each side joins its changes with what the other holds. */
export function joinTables<K, V1, V2, R>(
  kind: 'inner' | 'left' | 'outer',
  left: KTable<K, V1>,
  right: KTable<K, V2>,
  joiner: Joiner,
  options: Named & { readonly store?: StoreOptions<K, R> },
): KTable<K, R> {
  const [one, two] = [left[state], right[state]]
  const { context } = one
  const { names } = context
  const { name: given, store: storeOptions } = options
  const key = erased(storeOptions?.key) ?? one.key
  const value = erased(storeOptions?.value)
  // A store that is asked for is made here, also without a name.
  const store: Materialized | null =
    storeOptions === undefined
      ? null
      : materialized(context, storeOptions, () => names.store('KTABLE-MERGE'), { key, value })
  const merge = names.given(given, 'KTABLE-MERGE')
  const sources = copartitioned(one, two)
  if (kind !== 'inner') left.source.sendOldValues(true)
  if (kind === 'outer') right.source.sendOldValues(true)
  const joinThis = names.suffixed(given, '-join-this', 'KTABLE-JOINTHIS')
  const joinOther = names.suffixed(given, '-join-other', 'KTABLE-JOINOTHER')

  const leftGetter = left.source.valueGetter()
  const rightGetter = right.source.valueGetter()
  const reversed: Joiner = (mine, other, recordKey) => joiner(other, mine, recordKey)
  let sendsOldValues = false
  const versionedParents = new Set<string>()
  const side = (isLeft: boolean): Supplier => {
    const sideKind: TableJoinKind = kind === 'left' && !isLeft ? 'right' : kind
    return tableJoinSide({
      kind: sideKind,
      other: isLeft ? rightGetter : leftGetter,
      joiner: isLeft ? joiner : reversed,
      sendsOldValues,
      dropsOlder: versionedParents.has((isLeft ? one : two).node.name),
    }) as Supplier
  }
  const useVersioned = (parent: string): void => void versionedParents.add(parent)
  const node = new GraphNode(merge, { kind: 'versioned-aware', useVersioned }, (builder) => {
    builder.addProcessor({ name: joinThis, parents: [one.name], supplier: side(true) })
    builder.addProcessor({ name: joinOther, parents: [two.name], supplier: side(false) })
    const make = tableJoinMerge({ storeName: store?.storeName ?? null, sendsOldValues })
    const supplier = Object.assign(() => make(), { stores: store === null ? [] : [keyValueSpec(context, store)] })
    builder.addProcessor({ name: merge, parents: [joinThis, joinOther], supplier: supplier })
    builder.connectProcessorAndStateStores(joinThis, rightGetter.storeNames)
    builder.connectProcessorAndStateStores(joinOther, leftGetter.storeNames)
  })
  node.isOutputVersioned = store?.isVersioned ?? false
  context.graph.add([one.node, two.node], node)
  const behaviour = new TableSource<K, R>(
    {
      sendOldValues() {
        left.source.sendOldValues(true)
        right.source.sendOldValues(true)
        return (sendsOldValues = true)
      },
      valueGetter() {
        if (store !== null) return storeGetter(store.storeName)
        const storeNames = united(leftGetter.storeNames, rightGetter.storeNames)
        return joinedGetter(kind, leftGetter, rightGetter, storeNames, joiner as never)
      },
    },
    store?.storeName ?? null,
  )
  return context.table<K, R>(
    {
      ...one,
      name: merge,
      node,
      key,
      value,
      ...sources,
      isRepartitionRequired: false,
    },
    behaviour,
  )
}
