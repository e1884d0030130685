import type { Processor } from '../processor/processor.ts'
import type { ProcessorContext } from '../processor/processor-context.ts'

/** Forwards the records for which the predicate holds; the others end here, as the user asked. */
export const filter =
  <K, V>(predicate: (key: K, value: V) => boolean) =>
  (): Processor<K, V> => {
    let context: ProcessorContext<K, V>
    return {
      init: (given) => void (context = given),
      process(record) {
        if (predicate(record.key, record.value)) context.forward(record)
      },
    }
  }
