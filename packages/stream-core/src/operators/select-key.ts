import type { Processor } from '../processor/processor.ts'
import type { ProcessorContext } from '../processor/processor-context.ts'

/** A new key for each record. */
export const selectKey =
  <K, V, K2>(selector: (key: K, value: V) => K2) =>
  (): Processor<K, V, K2, V> => {
    let context: ProcessorContext<K2, V>
    return {
      init: (given) => void (context = given),
      process({ key, value, timestampMs, headers }) {
        context.forward({ key: selector(key, value), value, timestampMs, headers })
      },
    }
  }
