import { ByteWriter } from '../common/byte-writer.ts'
import { ProcessingError } from '../common/errors.ts'
import { noHeaders, type Record } from '../common/record.ts'
import type { SinkNode } from '../topology/node.ts'
import { isAsRead } from './record-collector.ts'
import type { TakenRecord } from './record-queue.ts'

/**
 * Throws if user code has changed a value in place that goes on as the bytes it was read from: the change would be lost. For the
 * test driver; it costs a reading and two writings.
 */
export function refuseChanged(
  sink: SinkNode,
  topic: string,
  record: Record<unknown, unknown>,
  taken: TakenRecord | null,
): void {
  if (!isAsRead(sink, record, taken)) return
  const { serde, bytes, valueStart, valueEnd } = taken
  const context = { topic, part: 'value', headers: noHeaders } as const
  const written = (value: unknown): string => {
    const writer = new ByteWriter(256)
    try {
      serde.write(value, writer, context)
    } catch (error) {
      // A schema may make what its serde cannot write: nothing here has to.
      return String(error)
    }
    return writer.toBuffer().toString('latin1')
  }
  if (written(record.value) === written(serde.read(bytes, valueStart, valueEnd, context))) return
  throw new ProcessingError(
    sink.name,
    `a value on its way to "${topic}" was changed in place, by a predicate or a selector of a key: make a new one with mapValues, ` +
      'for who else has this one sees the change, and what is written is what was read. If nothing changes it, its serde makes ' +
      'another value of the same bytes each time (a default of a schema that is the time?): fill it in with mapValues',
  )
}
