import type { OnRefused } from '../broker/broker.ts'
import { ByteWriter } from '../common/byte-writer.ts'
import { ProcessingError, SerdeError } from '../common/errors.ts'
import { partitionForKey } from '../common/murmur2.ts'
import { type Headers, noHeaders, type Record } from '../common/record.ts'
import type { SinkNode } from '../topology/node.ts'
import type { TakenRecord } from './record-queue.ts'

/** Where a task's output goes: the group's producer, or the test driver. */
export interface Output {
  append(
    topic: string,
    partition: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    timestampMs: number,
    headers: Headers,
    onRefused?: OnRefused,
  ): void
  partitionCount(topic: string): number
}

/** A windowed key also says where its record belongs: without one it is not even sent. */
export class MissingKeyError extends SerdeError {}

const keyWriter = new ByteWriter(256)
const valueWriter = new ByteWriter(4096)

/**
 * Serialises a record for a sink and appends it to the partition its key belongs to. `topic` is the real topic's name. False: the sink's
 * partitioner chose none.
 */
export function collect(
  output: Output,
  sink: SinkNode,
  topic: string,
  record: Record<unknown, unknown>,
  taken: TakenRecord | null,
  onRefused?: OnRefused,
): boolean {
  const count = output.partitionCount(topic)
  if (!(count > 0)) throw unknownTopic(sink, topic)
  const key = serialise(keyWriter, sink, topic, 'key', record.key)
  const value = isAsRead(sink, record, taken)
    ? taken.bytes.subarray(taken.valueStart, taken.valueEnd)
    : serialise(valueWriter, sink, topic, 'value', record.value)
  const { timestampMs, headers } = record
  const chosen = sink.partitioner === null ? null : sink.partitioner(record.key, record.value, count)
  if (typeof chosen !== 'object' || chosen === null) {
    const partition = chosen === null ? defaultPartition(sink, key, count) : checkedPartition(sink, chosen, count)
    output.append(topic, partition, key, value, timestampMs, headers, onRefused)
    return true
  }
  for (const partition of chosen) checkedPartition(sink, partition, count)
  for (const partition of new Set(chosen)) output.append(topic, partition, key, value, timestampMs, headers, onRefused)
  return chosen.length > 0
}

/** What was read by the serde that would write it is not written anew: its bytes are there. */
export const isAsRead = (
  { passesBytes, value: serde }: SinkNode,
  { value }: Record<unknown, unknown>,
  taken: TakenRecord | null,
): taken is TakenRecord =>
  passesBytes && taken !== null && value !== null && value === taken.value && serde === taken.serde

/** Only a topic that is chosen for each record can be unknown: those that a topology names are looked for at the start. */
const unknownTopic = (sink: SinkNode, topic: string): ProcessingError =>
  new ProcessingError(
    sink.name,
    `the sink "${sink.name}" chose the topic "${topic}" for a record, which is none that was found at the start: ` +
      'create it and start again, or choose another',
  )

let roundRobin = 0

function checkedPartition(sink: SinkNode, chosen: number, count: number): number {
  if (Number.isInteger(chosen) && chosen >= 0 && chosen < count) return chosen
  throw new RangeError(`the partitioner of sink "${sink.name}" chose ${chosen} of ${count} partitions`)
}

function defaultPartition(sink: SinkNode, key: Buffer | null, count: number): number {
  if (key === null) return roundRobin++ % count
  // A windowed key belongs where its inner key does.
  const suffix = suffixBytes(sink.key)
  return partitionForKey(suffix === 0 ? key : key.subarray(0, key.length - suffix), count)
}

/** Whether a serde is one of windowed keys. */
export const hasWindow = (serde: object): boolean => suffixBytes(serde) > 0

const suffixBytes = (serde: object): number =>
  (serde as { readonly partitionSuffixBytes?: number }).partitionSuffixBytes ?? 0

function serialise(
  writer: ByteWriter,
  sink: SinkNode,
  topic: string,
  part: 'key' | 'value',
  value: unknown,
): Buffer | null {
  const serde = part === 'key' ? sink.key : sink.value
  if (value === undefined) {
    const what = part === 'value' ? 'a tombstone' : 'a record without one'
    throw new SerdeError(
      part,
      `the ${part} of a record for "${topic}" is undefined (a return that was forgotten?); null writes ${what}`,
    )
  }
  if (value === null) {
    if (part === 'value' || suffixBytes(serde) === 0) return null
    throw new MissingKeyError(
      part,
      `a record for "${topic}" has no key, and ${serde.name} cannot write one that is missing`,
    )
  }
  writer.reset()
  try {
    serde.write(value, writer, { topic, part, headers: noHeaders })
  } catch (error) {
    if (value instanceof Promise) throw unawaited(part, topic, value)
    throw new SerdeError(
      part,
      `the ${part} of a record for "${topic}" cannot be written as ${serde.name}: ${(error as Error).message}`,
      { cause: error },
    )
  }
  return writer.view()
}

/** Made by an asynchronous function where nobody waits; no serde can write it. */
function unawaited(part: 'key' | 'value', topic: string, promise: Promise<unknown>): SerdeError {
  promise.catch(() => undefined) // what becomes of it is nobody's concern any more
  return new SerdeError(
    part,
    `the ${part} of a record for "${topic}" is a promise, and nobody would wait for it: use mapValuesAsync, ` +
      'flatMapValuesAsync or processAsync',
  )
}
