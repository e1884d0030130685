import type { Change, Processor } from '../processor/processor.ts'
import type { EngineContext } from '../processor/processor-context.ts'
import { notUndefined } from './not-undefined.ts'
import { changeForwarder, type ForwardChange, openTableStore, type TableStore } from './table-store.ts'
import type { TableJoinKind, ValueGetter, ValueGetterSupplier } from './value-getter.ts'

export interface TableJoinSideOptions<K, V1, V2, O> {
  /** `right` is the right side of a left join. */
  readonly kind: TableJoinKind
  readonly other: ValueGetterSupplier<K, V2>
  /** This side's value first. */
  readonly joiner: (mine: V1 | null, other: V2 | null, key: K) => O
  readonly sendsOldValues: boolean
  /** Behind a versioned table: what came after a later record is left out, and counted. */
  readonly dropsOlder: boolean
}

/** One side of a table-table join (reference §3.2): joins each change with what the other table holds now. */
export const tableJoinSide =
  <K, V1, V2, O>({ kind, other, joiner, sendsOldValues, dropsOlder }: TableJoinSideOptions<K, V1, V2, O>) =>
  (): Processor<K, Change<V1>, K, Change<O>> => {
    let context: EngineContext<K, Change<O>>
    let getter: ValueGetter<K, V2>
    const needsOther = kind === 'inner' || kind === 'right'
    /** Whether a row exists, given this side's value: on the right of a left join always, the left value decides. */
    const joins = (mine: V1 | null, hasOther: boolean): boolean =>
      kind === 'right' || mine !== null || (kind === 'outer' && hasOther)
    return {
      init(given) {
        context = given as EngineContext<K, Change<O>>
        getter = other.open(context)
      },
      process({ key, value: change, timestampMs, headers }) {
        if (key === null || key === undefined) return context.drop('null-key')
        if (dropsOlder && !change.isLatest) return context.drop('older-version')
        const found = getter.get(key)
        if (found === null) {
          if (needsOther) return
          if (change.newValue === null && change.oldValue === null) return
        }
        const value = found?.value ?? null
        const result = (mine: V1 | null): O | null =>
          joins(mine, value !== null) ? notUndefined(joiner(mine, value, key), 'joiner') : null
        const joined = {
          newValue: result(change.newValue),
          oldValue: sendsOldValues ? result(change.oldValue) : null,
          isLatest: change.isLatest,
        }
        const time = found === null ? timestampMs : Math.max(timestampMs, found.timestampMs)
        context.forward({ key, value: joined, timestampMs: time, headers })
      },
    }
  }

export interface TableJoinMergeOptions {
  readonly storeName: string | null
  readonly sendsOldValues: boolean
}

/** Where the two sides of a table-table join meet, and are kept if the result is. */
export const tableJoinMerge =
  <K, V>({ storeName, sendsOldValues }: TableJoinMergeOptions) =>
  (): Processor<K, Change<V>> => {
    let store: TableStore<K, V> | null = null
    let forward: ForwardChange<K, V>
    return {
      init(given) {
        const context = given as EngineContext<K, Change<V>>
        if (storeName !== null) store = openTableStore(context, storeName)
        forward = changeForwarder(context, store?.plain ?? null, sendsOldValues)
      },
      process({ key, value: { newValue, oldValue, isLatest }, timestampMs, headers }) {
        if (store === null) return forward(key, newValue, oldValue, isLatest, timestampMs, headers)
        const put = store.put(key, newValue, timestampMs)
        if (put !== 'dropped') forward(key, newValue, oldValue, put === 'latest', timestampMs, headers)
      },
    }
  }
