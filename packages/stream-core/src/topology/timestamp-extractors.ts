import type { TimestampExtractor } from './node.ts'

/** The time in the record; a negative one stops the application. The default (Kafka Streams' FailOnInvalidTimestamp). */
export const failOnInvalidTimestamp: TimestampExtractor = ({ timestampMs }) => {
  if (timestampMs >= 0) return timestampMs
  throw new RangeError(
    `the record has the timestamp ${timestampMs}, which is no time: it was written by a very old client, or without one. ` +
      'Give the source a timestampExtractor that finds one, or skipInvalidTimestamp',
  )
}

/** The time in the record; a record with a negative one is left out, and counted (LogAndSkipOnInvalidTimestamp). */
export const skipInvalidTimestamp: TimestampExtractor = ({ timestampMs }) => timestampMs

/**
 * The time in the record; instead of a negative one the largest so far in its partition (UsePartitionTimeOnInvalidTimestamp).
 * Throws for a record that has neither.
 */
export const usePartitionTimeOnInvalidTimestamp: TimestampExtractor = (record, partitionTimeMs) =>
  record.timestampMs < 0 && partitionTimeMs >= 0 ? partitionTimeMs : failOnInvalidTimestamp(record, partitionTimeMs)
