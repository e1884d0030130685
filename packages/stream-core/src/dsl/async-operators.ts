import { ArgumentError } from '../common/errors.ts'
import type { Serde } from '../common/serde.ts'
import type { AsyncCallContext, AsyncOptions } from '../operators/async-calls.ts'
import { asyncProcess, type AsyncProcessor } from '../operators/async-process.ts'
import type { ProcessorContext } from '../processor/processor-context.ts'
import type { ProcessorSupplier } from '../processor/processor.ts'
import type { StoreSpec } from '../state/store-spec.ts'
import type { StreamState } from './build-context.ts'
import type { Named } from './options.ts'

/** Makes an asynchronous processor, one per task; `stores` are added to the topology and connected to it. */
export interface AsyncProcessorSupplier<K, V, T, KOut = K, VOut = V> {
  (): AsyncProcessor<K, V, T, KOut, VOut>
  readonly stores?: readonly StoreSpec[]
}

export interface AsyncValueOptions<V2> extends Named, AsyncOptions {
  readonly value?: Serde<V2>
}

/** For `mapValuesAsync`: one value for each result. */
export const mapValuesCall =
  <K, V, V2>(mapper: (value: V, key: K, context: AsyncCallContext) => Promise<V2>) =>
  (): AsyncProcessor<K, V, V2, K, V2> => {
    let context: ProcessorContext<K, V2>
    return {
      init: (given) => void (context = given),
      call: ({ key, value }, callContext) => mapper(value, key, callContext),
      apply: (value, { key, timestampMs, headers }) => context.forward({ key, value, timestampMs, headers }),
    }
  }

/** For `flatMapValuesAsync`: any number of values for each result. */
export const flatMapValuesCall =
  <K, V, V2>(mapper: (value: V, key: K, context: AsyncCallContext) => Promise<Iterable<V2>>) =>
  (): AsyncProcessor<K, V, Iterable<V2>, K, V2> => {
    let context: ProcessorContext<K, V2>
    return {
      init: (given) => void (context = given),
      call: ({ key, value }, callContext) => mapper(value, key, callContext),
      apply(values, { key, timestampMs, headers }) {
        for (const value of values) context.forward({ key, value, timestampMs, headers })
      },
    }
  }

/** A supplier for the topology. Throws an ArgumentError for limits that make no sense. */
export function asyncSupplier<K, V, T, KOut, VOut>(
  { context, key }: StreamState,
  supplier: AsyncProcessorSupplier<K, V, T, KOut, VOut>,
  options: Named & AsyncOptions,
): ProcessorSupplier<K, V, KOut, VOut> {
  checkLimits(options)
  const { concurrency, order, timeoutMs, retries, backoffMs, backoffMaxMs, onError } = options
  const given = { concurrency, order, timeoutMs, retries, backoffMs, backoffMaxMs, onError }
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as AsyncOptions
  const make = asyncProcess(supplier, { ...set, key: key ?? context.defaultKey })
  return Object.assign(() => make(), { stores: supplier.stores ?? [], isAsync: true as const })
}

function checkLimits(options: Named & AsyncOptions): void {
  const least = { concurrency: 1, timeoutMs: 1, retries: 0, backoffMs: 0, backoffMaxMs: 0 } as const
  for (const name of Object.keys(least) as (keyof typeof least)[]) {
    const value = options[name]
    if (value === undefined || (Number.isSafeInteger(value) && value >= least[name])) continue
    throw new ArgumentError(
      name,
      `${name} of an asynchronous operator must be a whole number, ${least[name]} or more; got ${value}`,
    )
  }
  const { order } = options
  if (order !== undefined && order !== 'key' && order !== 'partition') {
    throw new ArgumentError(
      'order',
      `order of an asynchronous operator must be 'key' or 'partition', got ${JSON.stringify(order)}`,
    )
  }
}
