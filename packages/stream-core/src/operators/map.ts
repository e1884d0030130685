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
        const pair = mapper(key, value)
        if (pair === null || pair === undefined) throw new TypeError('map has to return [key, value], got nothing')
        context.forward({ key: pair[0], value: pair[1], timestampMs, headers })
      },
    }
  }
