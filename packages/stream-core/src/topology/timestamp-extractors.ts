import type { TimestampExtractor } from './node.ts'

/** Not below 0, and below 2^53 ms: nanoseconds are beyond. */
const isTime = (timestampMs: number): boolean => timestampMs >= 0 && timestampMs <= Number.MAX_SAFE_INTEGER

/** The time in the record; one that is negative or beyond 2^53 stops the application. The default (Kafka Streams' FailOnInvalidTimestamp). */
export const failOnInvalidTimestamp: TimestampExtractor = ({ timestampMs }) => {
  if (isTime(timestampMs)) return timestampMs
  throw new RangeError(
    `the record has the timestamp ${timestampMs}, which is no time in milliseconds: it was written by a very old client, without one, or in another unit. ` +
      'Give the source a timestampExtractor that finds one, or skipInvalidTimestamp',
  )
}

/** The time in the record; a record with an invalid one is left out, and counted (LogAndSkipOnInvalidTimestamp). */
export const skipInvalidTimestamp: TimestampExtractor = ({ timestampMs }) => (isTime(timestampMs) ? timestampMs : -1)

/**
 * The time in the record; instead of an invalid one the largest so far in its partition (UsePartitionTimeOnInvalidTimestamp).
 * Throws for a record that has neither.
 */
export const usePartitionTimeOnInvalidTimestamp: TimestampExtractor = (record, partitionTimeMs) =>
  !isTime(record.timestampMs) && partitionTimeMs >= 0
    ? partitionTimeMs
    : failOnInvalidTimestamp(record, partitionTimeMs)
