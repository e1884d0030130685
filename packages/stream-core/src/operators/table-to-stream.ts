import type { Change, Processor } from '../processor/processor.ts'
import type { ProcessorContext } from '../processor/processor-context.ts'

/** The changes of a table as a stream of its new values; a deletion is a null. */
export const tableToStream =
  <K, V>() =>
  (): Processor<K, Change<V>, K, V | null> => {
    let context: ProcessorContext<K, V | null>
    return {
      init: (given) => void (context = given),
      process({ key, value, timestampMs, headers }) {
        context.forward({ key, value: value.newValue, timestampMs, headers })
      },
    }
  }
