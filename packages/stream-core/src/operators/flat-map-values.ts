import type { Processor } from '../processor/processor.ts'
import type { ProcessorContext } from '../processor/processor-context.ts'

/** Any number of values for each record, all under its key. */
export const flatMapValues =
  <K, V, V2>(mapper: (value: V, key: K) => Iterable<V2>) =>
  (): Processor<K, V, K, V2> => {
    let context: ProcessorContext<K, V2>
    return {
      init: (given) => void (context = given),
      process({ key, value, timestampMs, headers }) {
        for (const newValue of mapper(value, key)) context.forward({ key, value: newValue, timestampMs, headers })
      },
    }
  }
