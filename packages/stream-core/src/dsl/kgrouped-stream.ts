import type { Serde } from '../common/serde.ts'
import { aggregate } from '../operators/aggregate.ts'
import type { JoinWindows, SessionWindows, Windows } from '../operators/windows.ts'
import {
  type AggregateOptions,
  aggregationStore,
  counting,
  countSerde,
  type CountOptions,
  type Fold,
  ignoresValues,
  type ReduceOptions,
  StreamGroup,
} from './aggregation.ts'
import { erased } from './build-context.ts'
import { type AggregatedBy, CogroupedKStream } from './cogrouped-kstream.ts'
import type { KTable } from './ktable.ts'
import type { Named, StoreOptions } from './options.ts'
import { SessionWindowedKStream } from './session-windowed-kstream.ts'
import { keyValueSpec } from './store-specs.ts'
import { TimeWindowedKStream } from './time-windowed-kstream.ts'

/** Records grouped by key. Nothing is written until an aggregation follows. */
export class KGroupedStream<K, V> {
  /** @internal For the aggregations that follow. */
  readonly group: StreamGroup

  /** @internal */
  constructor(group: StreamGroup) {
    this.group = group
  }

  /** Counts the records of each key; throws past 2^53. Records without a key or a value are skipped and counted. */
  count(options: CountOptions<K> = {}): KTable<K, number> {
    this.group.skipForCount(options.store)
    return this.#aggregate('KSTREAM-AGGREGATE', counting, options, countSerde)
  }

  /** Folds the values of each key into one of the same type; the first is the beginning. null deletes the key. */
  reduce(reducer: (aggregate: V, value: V) => V | null, options: ReduceOptions<K, V> = {}): KTable<K, NonNullable<V>> {
    const fold = { init: null, add: reducer }
    return this.#aggregate('KSTREAM-REDUCE', fold, options as ReduceOptions<K, NonNullable<V>>, this.group.state.value)
  }

  /** Folds the values of each key. Records without a key or a value are skipped and counted. */
  aggregate<A>(options: AggregateOptions<K, V, A>): KTable<K, A> {
    return this.#aggregate('KSTREAM-AGGREGATE', options, options, null)
  }

  /** Aggregates by tumbling, hopping, sliding or unlimited windows, or by sessions. */
  windowedBy<W extends Windows | SessionWindows | JoinWindows>(
    windows: AggregatedBy<W>,
  ): W extends SessionWindows ? SessionWindowedKStream<K, V> : TimeWindowedKStream<K, V>
  windowedBy(windows: Windows | SessionWindows): unknown {
    if (windows.kind === 'session') return new SessionWindowedKStream(this.group, windows)
    return new TimeWindowedKStream(this.group, windows)
  }

  /** Begins an aggregate that several groups of records, of any types, feed together (KIP-150). */
  cogroup<A>(add: (aggregate: A, value: V, key: K) => A | null): CogroupedKStream<K, A> {
    return new CogroupedKStream<K, A>().cogroup(this, add)
  }

  #aggregate<A>(
    prefix: string,
    fold: Fold,
    options: Named & { readonly store?: StoreOptions<K, A> },
    value: Serde<unknown> | null,
  ): KTable<K, A> {
    const { state } = this.group
    const { context } = state
    const store = aggregationStore(state, options.store, prefix, value)
    return this.group.aggregate({
      name: context.names.given(options.name, prefix),
      store,
      key: store.key,
      details: { kind: 'processor' },
      ignoresValues: ignoresValues(fold),
      spec: () => keyValueSpec(context, store),
      supplier: (sendsOldValues) =>
        aggregate({ storeName: store.storeName, sendsOldValues, init: fold.init, add: fold.add as never }),
    })
  }
}

export const groupedWith = <K, V>(
  state: StreamGroup['state'],
  options: { readonly name?: string; readonly key?: Serde<K>; readonly value?: Serde<V> } | undefined,
): StreamGroup => {
  // Java takes both serdes from a Grouped that is given, also those that it does not name.
  const known = options === undefined || state.context.inheritsSerdes ? state : { key: null, value: null }
  const serdes = { key: erased(options?.key) ?? known.key, value: erased(options?.value) ?? known.value }
  return new StreamGroup({ ...state, ...serdes }, options?.name ?? null)
}
