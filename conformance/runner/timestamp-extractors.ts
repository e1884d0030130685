import { named, type Raw, text } from './format.ts'
import { num } from './functions.ts'
import type { Value } from './values.ts'

export type TimestampExtractor = (
  record: { readonly key: unknown; readonly value: unknown; readonly timestampMs: number },
  partitionTimeMs: number,
) => number

/** A negative result drops the record: what Java's extractors would not have dropped has to throw. */
const extractors: { readonly [name: string]: TimestampExtractor } = {
  failOnInvalid({ timestampMs }) {
    if (timestampMs < 0) throw new RangeError(`the record has the negative timestamp ${timestampMs}`)
    return timestampMs
  },
  logAndSkipOnInvalid: ({ timestampMs }) => timestampMs,
  usePartitionTimeOnInvalid({ timestampMs }, partitionTimeMs) {
    if (timestampMs >= 0) return timestampMs
    if (partitionTimeMs < 0) throw new RangeError('the record has a negative timestamp, and there is no partition time')
    return partitionTimeMs
  },
  valueNumber: ({ value }, partitionTimeMs) => (value === null ? partitionTimeMs : Number(num(value as Value))),
}

/** The extractor that a field names, or undefined if it is left out. */
export function timestampExtractor(raw: Raw): TimestampExtractor | undefined {
  const name = text(raw, 'timestampExtractor')
  return name === undefined ? undefined : named('timestamp extractor', extractors, name)
}
