import type { Processor } from '../processor/processor.ts'
import type { ProcessorContext } from '../processor/processor-context.ts'

/** A new value for each record; the key stays, so nothing has to be repartitioned. */
export const mapValues =
  <K, V, V2>(mapper: (value: V, key: K) => V2) =>
  (): Processor<K, V, K, V2> => {
    let context: ProcessorContext<K, V2>
    return {
      init: (given) => void (context = given),
      process({ key, value, timestampMs, headers }) {
        context.forward({ key, value: mapper(value, key), timestampMs, headers })
      },
    }
  }
