import type { Processor } from '../processor/processor.ts'
import type { ProcessorContext } from '../processor/processor-context.ts'

/** Shows each record to a function and forwards it. */
export const peek =
  <K, V>(action: (key: K, value: V) => void) =>
  (): Processor<K, V> => {
    let context: ProcessorContext<K, V>
    return {
      init: (given) => void (context = given),
      process(record) {
        const result = action(record.key, record.value) as unknown
        context.forward(record)
        // Nothing, or a promise, which is refused.
        return result as undefined
      },
    }
  }
