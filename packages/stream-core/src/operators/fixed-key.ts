import { ProcessingError } from '../common/errors.ts'
import type { Record } from '../common/record.ts'
import type { EngineContext } from '../processor/processor-context.ts'
import type { FixedKeyProcessorSupplier, ProcessorSupplier } from '../processor/processor.ts'

/** Holds a processor to its promise: what it forwards has the key of the record it was given, so nothing is repartitioned. */
export function fixedKey<K, V, V2>(supplier: FixedKeyProcessorSupplier<K, V, V2>): ProcessorSupplier<K, V, K, V2> {
  const make = () => {
    const processor = supplier()
    let current: Record<K, V> | null = null
    return {
      init(given: EngineContext<K, V2>) {
        processor.init?.(checked(given, () => current))
      },
      process(record: Record<K, V>) {
        const outer = current
        current = record
        try {
          processor.process(record)
        } finally {
          current = outer
        }
      },
      close: () => processor.close?.(),
    }
  }
  return Object.assign(make, { stores: supplier.stores ?? [] })
}

function checked<K, V2>(context: EngineContext<K, V2>, current: () => Record<K, unknown> | null): EngineContext<K, V2> {
  const forward = context.forward.bind(context)
  return new Proxy(context, {
    get(target, property) {
      if (property === 'forward') {
        return (record: Record<K, V2>, childName?: string): void => {
          const given = current()
          if (given !== null && !Object.is(given.key, record.key)) {
            throw new ProcessingError(
              context.name,
              `"${context.name}" forwarded another key than that of its record: use process(), which repartitions after it`,
            )
          }
          forward(record, childName)
        }
      }
      const value: unknown = Reflect.get(target, property, target)
      return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value
    },
  })
}
