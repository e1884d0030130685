import { oneOf } from '../common/choice.ts'
import type { Serde } from '../common/serde.ts'
import type { Windowed } from '../common/windowed.ts'
import { sessionWindowAggregate } from '../operators/session-window-aggregate.ts'
import { sessionStoreGetter } from '../operators/value-getter.ts'
import type { SessionWindows } from '../operators/windows.ts'
import {
  type AggregateOptions,
  aggregationStore,
  counting,
  countSerde,
  type CountOptions,
  type Fold,
  ignoresValues,
  type ReduceOptions,
  type StreamGroup,
  windowedInner,
} from './aggregation.ts'
import { segmentIntervalMs } from '../state/store-spec.ts'
import type { BuildContext } from './build-context.ts'
import type { KTable } from './ktable.ts'
import type { Named, StoreOptions } from './options.ts'
import { atLeastNow, checkedRetention, type Materialized, sessionSpec } from './store-specs.ts'
import type { EmitStrategy } from './time-windowed-kstream.ts'
import { sessionWindowed } from './windowed-serde.ts'

export interface SessionAggregateOptions<K, V, A> extends AggregateOptions<K, V, A> {
  /** Makes one aggregate of two sessions that a record has joined, the earlier one first. */
  readonly merge: (first: A, second: A, key: K) => A | null
}

/** A fold that can also make one of two. */
export interface SessionFold extends Fold {
  readonly merge: (first: never, second: never, key: never) => unknown
}

/** Records grouped by key and by session. */
export class SessionWindowedKStream<K, V> {
  readonly #group: StreamGroup
  readonly #windows: SessionWindows
  readonly #emit: EmitStrategy

  /** @internal */
  constructor(group: StreamGroup, windows: SessionWindows, emit: EmitStrategy = 'on-window-update') {
    this.#group = group
    this.#windows = windows
    this.#emit = emit
  }

  /** When results are forwarded (KIP-825). */
  emitStrategy(strategy: EmitStrategy): SessionWindowedKStream<K, V> {
    oneOf('strategy', strategy, ['on-window-update', 'on-window-close'])
    return new SessionWindowedKStream(this.#group, this.#windows, strategy)
  }

  /** Counts the records of each session. */
  count(options: CountOptions<K> = {}): KTable<Windowed<K>, number> {
    this.#group.skipForCount(options.store)
    const merge = (first: number, second: number): number => first + second
    return this.#aggregate('KSTREAM-AGGREGATE', { ...counting, merge }, options, countSerde)
  }

  /** Folds the values of each session into one of the same type; the first is the beginning. */
  reduce(
    reducer: (aggregate: V, value: V) => V | null,
    options: ReduceOptions<K, V> = {},
  ): KTable<Windowed<K>, NonNullable<V>> {
    const merge = (earlier: V, later: V): V | null => (earlier === null ? later : reducer(earlier, later))
    const fold = { init: null, add: reducer, merge }
    return this.#aggregate('KSTREAM-REDUCE', fold, options as ReduceOptions<K, NonNullable<V>>, this.#group.state.value)
  }

  /** Folds the values of each session; `merge` makes one of two that a record has joined. */
  aggregate<A>(options: SessionAggregateOptions<K, V, A>): KTable<Windowed<K>, A> {
    return this.#aggregate('KSTREAM-AGGREGATE', options, options, null)
  }

  #aggregate<A>(
    prefix: string,
    fold: SessionFold,
    options: Named & { readonly store?: StoreOptions<K, A> },
    value: Serde<unknown> | null,
  ): KTable<Windowed<K>, A> {
    const { state } = this.#group
    const { context } = state
    const emitsFinal = this.#emit === 'on-window-close'
    const store = aggregationStore(state, options.store, prefix, value)
    const name = context.names.given(options.name, prefix)
    const parts = sessionParts(context, store, this.#windows, fold, emitsFinal)
    return this.#group.aggregate({ name, store, ...parts, ignoresValues: ignoresValues(fold) })
  }
}

/** What the session aggregations of a stream and of a cogroup share. */
export function sessionParts(
  context: BuildContext,
  store: Materialized,
  windows: SessionWindows,
  fold: SessionFold,
  emitsFinal: boolean,
) {
  const { gapMs, graceMs } = windows
  const { storeName } = store
  const leastMs = gapMs + graceMs
  const given = checkedRetention(storeName, store.options.retentionMs, leastMs, 'the gap plus grace')
  const retentionMs = atLeastNow(context, given)
  const key = windowedInner(context, store)
  const options = {
    storeName,
    windows,
    emitsFinal,
    init: fold.init,
    add: fold.add as never,
    merge: fold.merge as never,
    failsBeforeMs: context.javaRules ? -segmentIntervalMs(retentionMs) : Number.NEGATIVE_INFINITY,
  }
  return {
    key: key === null ? null : (sessionWindowed(key) as unknown as Serde<unknown>),
    details: { kind: 'windowed-aggregation', graceMs: leastMs } as const,
    spec: () => {
      const made = sessionSpec(context, store, retentionMs, emitsFinal)
      return emitsFinal ? { ...made, caching: false } : made
    },
    supplier: (sendsOldValues: boolean) => sessionWindowAggregate({ ...options, sendsOldValues }),
    getter: sessionStoreGetter,
  }
}
