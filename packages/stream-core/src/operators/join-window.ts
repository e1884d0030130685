import type { Processor } from '../processor/processor.ts'
import type { ProcessorContext } from '../processor/processor-context.ts'
import type { WindowStore } from '../state/window-store.ts'

/**
 * The node in front of a stream-stream join: forwards a record first, then keeps it for the other side, so that in a join
 * of a stream with itself each record meets itself once.
 */
export const joinWindow =
  <K, V>(storeName: string) =>
  (): Processor<K, V> => {
    let context: ProcessorContext<K, V>
    let store: WindowStore<K, V>
    return {
      init(given) {
        context = given
        store = context.getStateStore(storeName)
      },
      process(record) {
        context.forward(record)
        if (record.key === null || record.key === undefined) return
        store.put(record.key, record.value ?? null, record.timestampMs)
      },
    }
  }
