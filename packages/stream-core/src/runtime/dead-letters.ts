import { partitionForKey } from '../common/murmur2.ts'
import type { Headers } from '../common/record.ts'
import type { FailedRecord } from './handlers.ts'
import type { Output } from './record-collector.ts'

/** The bytes of a record as they were read; null: none, or not known any more. */
export interface RawRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly timestampMs: number
  readonly headers: Headers
}

let roundRobin = 0

/**
 * Puts a record that failed into the dead-letter topic: its bytes as they were read, its headers, and what happened, in Kafka
 * Streams' headers (KIP-1034). It is part of the same transaction as everything else the task does.
 */
export function sendDeadLetter(
  output: Output,
  topic: string,
  error: Error,
  failed: FailedRecord,
  { key, value, timestampMs, headers }: RawRecord,
): void {
  const count = output.partitionCount(topic)
  const partition = key === null ? roundRobin++ % count : partitionForKey(key, count)
  const about: Headers = [
    text('exception', error.name),
    text('message', error.message),
    text('stacktrace', error.stack ?? ''),
    text('topic', failed.topic ?? ''),
    text('partition', String(failed.partition)),
    text('offset', String(failed.offset)),
  ]
  output.append(topic, partition, key, value, timestampMs, [...headers, ...about])
}

const text = (name: string, value: string): Headers[number] => [`__streams.errors.${name}`, Buffer.from(value)]
