import type { Processor } from '../processor/processor.ts'
import type { ProcessorContext } from '../processor/processor-context.ts'

/** Forwards every record as it is: what a merge is once its inputs are connected. */
export const pass =
  <K, V>() =>
  (): Processor<K, V> => {
    let context: ProcessorContext<K, V>
    return {
      init: (given) => void (context = given),
      process: (record) => context.forward(record),
    }
  }
