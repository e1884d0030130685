import type { Processor } from '../processor/processor.ts'
import type { ProcessorContext } from '../processor/processor-context.ts'

/** Any number of records for each record. */
export const flatMap =
  <K, V, K2, V2>(mapper: (key: K, value: V) => Iterable<readonly [K2, V2]>) =>
  (): Processor<K, V, K2, V2> => {
    let context: ProcessorContext<K2, V2>
    return {
      init: (given) => void (context = given),
      process({ key, value, timestampMs, headers }) {
        for (const [newKey, newValue] of mapper(key, value)) {
          context.forward({ key: newKey, value: newValue, timestampMs, headers })
        }
      },
    }
  }
