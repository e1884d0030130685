import type { Processor } from '../processor/processor.ts'
import type { ProcessorContext } from '../processor/processor-context.ts'

/** A new key and a new value for each record. */
export const map =
  <K, V, K2, V2>(mapper: (key: K, value: V) => readonly [K2, V2]) =>
  (): Processor<K, V, K2, V2> => {
    let context: ProcessorContext<K2, V2>
    return {
      init: (given) => void (context = given),
      process({ key, value, timestampMs, headers }) {
        const [newKey, newValue] = mapper(key, value)
        context.forward({ key: newKey, value: newValue, timestampMs, headers })
      },
    }
  }
