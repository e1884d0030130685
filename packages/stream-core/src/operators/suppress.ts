import type { Windowed } from '../common/windowed.ts'
import { BufferFullError } from '../common/errors.ts'
import type { Change, Processor } from '../processor/processor.ts'
import { type EngineContext, forwardUnder } from '../processor/processor-context.ts'
import type { SuppressBuffer } from '../state/suppress-buffer.ts'

export interface SuppressOptions {
  readonly storeName: string
  /** How long a change waits, by the time of the records that reach this node. */
  readonly waitMs: number
  /** Changes wait until their window closes, and deletions are not emitted: one result per window. */
  readonly untilWindowCloses: boolean
  readonly maxRecords: number
  /** In Java's measure of an entry (reference §2.7). */
  readonly maxBytes: number
  readonly whenFull: 'emit-early' | 'shut-down'
}

/** KTable suppress: holds changes back and emits only the last of each key. Nothing is emitted until a later record comes. */
export const suppress =
  <K, V>(options: SuppressOptions) =>
  (): Processor<K, Change<V>, K, Change<V>> => {
    const { storeName, waitMs, untilWindowCloses, maxRecords, maxBytes, whenFull } = options
    let context: EngineContext<K, Change<V>>
    let buffer: SuppressBuffer<K, V>
    let streamTimeMs = -1
    const isOverCapacity = (): boolean => buffer.recordCount > maxRecords || buffer.sizeBytes > maxBytes

    const evictWhile = (isDue: () => boolean): void =>
      buffer.evictWhile(isDue, ({ key, newValue, oldValue, context: recordContext }) => {
        if (newValue === null && untilWindowCloses) return
        const { timestampMs, headers } = recordContext
        const change = { newValue, oldValue, isLatest: true }
        forwardUnder(context, recordContext, key, change, timestampMs, headers)
      })

    return {
      init(given) {
        context = given as EngineContext<K, Change<V>>
        streamTimeMs = context.keepStreamTime(() => streamTimeMs)
        buffer = context.getStateStore(storeName)
      },
      process({ key, value, timestampMs }) {
        if (timestampMs > streamTimeMs) streamTimeMs = timestampMs
        const timeMs = untilWindowCloses
          ? (key as unknown as Windowed<unknown>).window.end
          : context.recordContext.timestampMs
        buffer.put(timeMs, key, value.newValue, value.oldValue, context.recordContext)
        const dueMs = streamTimeMs - waitMs
        evictWhile(() => buffer.minTimeMs <= dueMs)
        if (!isOverCapacity()) return
        if (whenFull === 'emit-early') return evictWhile(isOverCapacity)
        throw new BufferFullError(
          `the buffer of "${context.name}" is full: ${buffer.recordCount} of ${maxRecords} records, ` +
            `${buffer.sizeBytes} of ${maxBytes} bytes. Raise its limits, or let it emit early`,
        )
      },
    }
  }
