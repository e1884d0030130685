import { oneOf } from '../common/choice.ts'
import type { Serde } from '../common/serde.ts'
import { ArgumentError } from '../common/errors.ts'
import type { Windowed } from '../common/windowed.ts'
import { slidingWindowAggregate } from '../operators/sliding-window-aggregate.ts'
import { windowStoreGetter } from '../operators/value-getter.ts'
import { windowAggregate } from '../operators/window-aggregate.ts'
import type { Windows } from '../operators/windows.ts'
import type { WindowStoreSpec } from '../state/store-spec.ts'
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
import type { BuildContext } from './build-context.ts'
import type { KTable } from './ktable.ts'
import type { Named, StoreOptions } from './options.ts'
import { checkedRetention, type Materialized, windowSpec } from './store-specs.ts'
import { timeWindowed } from './windowed-serde.ts'

/** When results of windows are forwarded: with each update (subject to the record cache), or once, when a window closes. */
export type EmitStrategy = 'on-window-update' | 'on-window-close'

/** Records grouped by key and by window. */
export class TimeWindowedKStream<K, V> {
  readonly #group: StreamGroup
  readonly #windows: Windows
  readonly #emit: EmitStrategy

  /** @internal */
  constructor(group: StreamGroup, windows: Windows, emit: EmitStrategy = 'on-window-update') {
    this.#group = group
    this.#windows = windows
    this.#emit = emit
  }

  /** When results are forwarded (KIP-825). Unlimited windows never close. */
  emitStrategy(strategy: EmitStrategy): TimeWindowedKStream<K, V> {
    oneOf('strategy', strategy, ['on-window-update', 'on-window-close'])
    if (this.#windows.kind === 'unlimited' && strategy === 'on-window-close') {
      throw new ArgumentError('strategy', 'unlimited windows never close: on-window-close would never emit anything')
    }
    return new TimeWindowedKStream(this.#group, this.#windows, strategy)
  }

  /** Counts the records of each key and window. Records later than the grace period are skipped and counted as late. */
  count(options: CountOptions<K> = {}): KTable<Windowed<K>, number> {
    if (this.#windows.kind !== 'sliding') this.#group.skipForCount(options.store)
    return this.#aggregate('KSTREAM-AGGREGATE', counting, options, countSerde)
  }

  /** Folds the values of each key and window into one of the same type; the first is the beginning. */
  reduce(
    reducer: (aggregate: V, value: V) => V | null,
    options: ReduceOptions<K, V> = {},
  ): KTable<Windowed<K>, NonNullable<V>> {
    const fold = { init: null, add: reducer }
    return this.#aggregate('KSTREAM-REDUCE', fold, options as ReduceOptions<K, NonNullable<V>>, this.#group.state.value)
  }

  /** Folds the values of each key and window. */
  aggregate<A>(options: AggregateOptions<K, V, A>): KTable<Windowed<K>, A> {
    return this.#aggregate('KSTREAM-AGGREGATE', options, options, null)
  }

  #aggregate<A>(
    prefix: string,
    fold: Fold,
    options: Named & { readonly store?: StoreOptions<K, A> },
    value: Serde<unknown> | null,
  ): KTable<Windowed<K>, A> {
    const { state } = this.#group
    const { context } = state
    const emitsFinal = this.#emit === 'on-window-close'
    const store = aggregationStore(state, options.store, prefix, value)
    const name = context.names.given(options.name, prefix)
    const parts = windowedParts(context, store, this.#windows, fold, emitsFinal)
    return this.#group.aggregate({ name, store, ...parts, ignoresValues: ignoresValues(fold) })
  }
}

/** What the windowed aggregations of a stream and of a cogroup share. */
export function windowedParts(
  context: BuildContext,
  store: Materialized,
  windows: Windows,
  fold: Fold,
  emitsFinal: boolean,
) {
  const { sizeMs, graceMs, leastMs, leastText } = windowFacts(windows)
  const retentionMs = checkedRetention(store.storeName, store.options.retentionMs, leastMs, leastText)
  const { storeName } = store
  const spec = (): WindowStoreSpec => {
    const made = windowSpec(context, store, sizeMs, retentionMs, emitsFinal)
    // Java leaves the cache out for sliding windows that emit at their close, and keeps it for others.
    return emitsFinal && windows.kind === 'sliding' ? { ...made, caching: false } : made
  }
  const options = { storeName, emitsFinal, init: fold.init, add: fold.add as never }
  return {
    key: windowedKey(context, store, sizeMs),
    details: { kind: 'windowed-aggregation', graceMs } as const,
    spec,
    supplier: (sendsOldValues: boolean) =>
      windows.kind === 'sliding'
        ? slidingWindowAggregate({ ...options, windows, sendsOldValues })
        : windowAggregate({ ...options, windows, sendsOldValues }),
    getter: windowStoreGetter,
  }
}

const windowedKey = (context: BuildContext, store: Materialized, sizeMs: number): Serde<unknown> | null => {
  const key = windowedInner(context, store)
  return key === null ? null : timeWindowed(key, sizeMs)
}

function windowFacts(windows: Windows) {
  switch (windows.kind) {
    case 'unlimited': {
      const sizeMs = Number.POSITIVE_INFINITY
      return { sizeMs, graceMs: 0, leastMs: sizeMs, leastText: 'unlimited, as its windows are' }
    }
    case 'sliding': {
      const { differenceMs: sizeMs, graceMs } = windows
      return { sizeMs, graceMs, leastMs: 2 * sizeMs + graceMs, leastText: 'twice the difference plus grace' }
    }
    case 'time': {
      const { sizeMs, graceMs } = windows
      return { sizeMs, graceMs, leastMs: sizeMs + graceMs, leastText: 'window size plus grace' }
    }
  }
}
