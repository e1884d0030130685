import { int64, type Serde } from '../common/serde.ts'
import { type Aggregation, aggregate } from '../operators/aggregate.ts'
import { windowAggregate, type Windowed, type WindowShape } from '../operators/window-aggregate.ts'
import { addProcessor, anySerde, type Position, requireSerde } from './build-context.ts'
import { KTable } from './ktable.ts'
import type { Named, StoreOptions } from './options.ts'
import { addRepartition } from './repartition.ts'
import { TopologyError } from '../common/errors.ts'
import { timeWindowed } from './windowed-serde.ts'

export interface AggregateOptions<K, V, A> extends Aggregation<K, V, A>, Named {
  readonly store?: StoreOptions<K, A>
}

export interface CountOptions<K> extends Named {
  readonly store?: StoreOptions<K, number>
}

/** Records grouped by key. Nothing is written until an aggregation follows. */
export class KGroupedStream<K, V> {
  readonly #position: Position
  readonly #groupName: string | null

  constructor(position: Position, groupName: string | null) {
    this.#position = position
    this.#groupName = groupName
  }

  /** Folds the values of each key. `add` that returns null deletes the key. Null values are skipped and counted. */
  aggregate<A>(options: AggregateOptions<K, V, A>): KTable<K, A> {
    return this.#aggregate(options, options.store ?? {}, anySerde(options.store?.value, null))
  }

  /** Counts the records of each key; throws past 2^53. */
  count(options: CountOptions<K> = {}): KTable<K, number> {
    return this.#aggregate({ ...options, ...counting }, options.store ?? {}, int64())
  }

  windowedBy(windows: WindowShape): TimeWindowedKStream<K, V> {
    return new TimeWindowedKStream(this.#position, this.#groupName, windows)
  }

  #aggregate<A>(
    aggregation: Aggregation<K, V, A> & Named,
    store: StoreOptions<K, A>,
    valueSerde: Serde<unknown> | null,
  ): KTable<K, A> {
    const { names, builder, defaultValue } = this.#position.context
    const storeName = store.name ?? names.store('KSTREAM-AGGREGATE')
    const name = aggregation.name ?? names.node('KSTREAM-AGGREGATE')
    const input = repartitioned(this.#position, this.#groupName ?? storeName)
    const key = requireSerde(anySerde(store.key, input.key), 'key', `the store "${storeName}"`, 'store.key')
    const value = requireSerde(valueSerde ?? defaultValue, 'value', `the store "${storeName}"`, 'store.value')
    builder.addStateStore({
      kind: 'keyValue',
      name: storeName,
      key,
      value,
      timestamped: true,
      caching: store.caching ?? true,
      logging: changelogConfigs(store.logging, { 'cleanup.policy': 'compact' }),
      inMemory: store.type === 'in-memory',
    })
    addProcessor(input, name, aggregate<K, V, A>(storeName, aggregation), [storeName])
    return new KTable({ ...input, nodeName: name, key, value }, storeName)
  }
}

/** Records grouped by key and by window. */
export class TimeWindowedKStream<K, V> {
  readonly #position: Position
  readonly #groupName: string | null
  readonly #windows: WindowShape

  constructor(position: Position, groupName: string | null, windows: WindowShape) {
    this.#position = position
    this.#groupName = groupName
    this.#windows = windows
  }

  /** Folds the values of each key and window. Records later than the grace period are skipped and counted as late. */
  aggregate<A>(options: AggregateOptions<K, V, A>): KTable<Windowed<K>, A> {
    return this.#aggregate(options, options.store ?? {}, anySerde(options.store?.value, null))
  }

  /** Counts the records of each key and window. */
  count(options: CountOptions<K> = {}): KTable<Windowed<K>, number> {
    return this.#aggregate({ ...options, ...counting }, options.store ?? {}, int64())
  }

  #aggregate<A>(
    aggregation: Aggregation<K, V, A> & Named,
    store: StoreOptions<K, A>,
    valueSerde: Serde<unknown> | null,
  ): KTable<Windowed<K>, A> {
    const { names, builder, defaultValue } = this.#position.context
    const { sizeMs, graceMs } = this.#windows
    const storeName = store.name ?? names.store('KSTREAM-AGGREGATE')
    const name = aggregation.name ?? names.node('KSTREAM-AGGREGATE')
    const retentionMs = store.retentionMs ?? sizeMs + graceMs
    if (retentionMs < sizeMs + graceMs) {
      throw new TopologyError(
        `the retention of the window store "${storeName}" must be at least window size plus grace (${sizeMs + graceMs} ms), got ${retentionMs}`,
        [name],
      )
    }
    const input = repartitioned(this.#position, this.#groupName ?? storeName)
    const key = requireSerde(anySerde(store.key, input.key), 'key', `the store "${storeName}"`, 'store.key')
    const value = requireSerde(valueSerde ?? defaultValue, 'value', `the store "${storeName}"`, 'store.value')
    builder.addStateStore({
      kind: 'window',
      name: storeName,
      key,
      value,
      windowSizeMs: sizeMs,
      retentionMs,
      caching: store.caching ?? true,
      logging: changelogConfigs(store.logging, {
        'cleanup.policy': 'compact,delete',
        'retention.ms': String(retentionMs + 86_400_000),
      }),
      inMemory: store.type === 'in-memory',
    })
    addProcessor(input, name, windowAggregate<K, V, A>(storeName, this.#windows, aggregation), [storeName])
    return new KTable({ ...input, nodeName: name, key: timeWindowed(key, sizeMs), value }, storeName)
  }
}

const counting = {
  init: () => 0,
  add(count: number): number {
    if (count >= Number.MAX_SAFE_INTEGER)
      throw new RangeError('a count went past 2^53: aggregate with int64Big() instead')
    return count + 1
  },
}

const repartitioned = (from: Position, name: string): Position =>
  from.isRepartitionRequired ? addRepartition(from, name, null) : from

function changelogConfigs(
  logging: StoreOptions<unknown, unknown>['logging'],
  defaults: { readonly [config: string]: string },
): { readonly [config: string]: string } | null {
  if (logging === false) return null
  return { ...defaults, 'message.timestamp.type': 'CreateTime', ...(typeof logging === 'object' ? logging : {}) }
}
