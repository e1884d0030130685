import type { Processor } from '../processor/processor.ts'
import type { ProcessorContext } from '../processor/processor-context.ts'

/**
 * In front of a repartition topic: a record without a key belongs to no partition and matches nothing behind it, so it ends
 * here, counted. Left out where a join behind it wants such records (KIP-962).
 */
export const dropNullKeys =
  <K, V>() =>
  (): Processor<K, V> => {
    let context: ProcessorContext<K, V>
    return {
      init: (given) => void (context = given),
      process(record) {
        if (record.key === null || record.key === undefined) context.drop('no-key-to-partition-by')
        else context.forward(record)
      },
    }
  }
