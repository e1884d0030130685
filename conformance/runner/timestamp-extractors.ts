import {
  failOnInvalidTimestamp,
  skipInvalidTimestamp,
  type TimestampExtractor,
  usePartitionTimeOnInvalidTimestamp,
} from 'stream-core'
import { named, type Raw, text } from './format.ts'
import { num } from './functions.ts'
import type { Value } from './values.ts'

const extractors: { readonly [name: string]: TimestampExtractor } = {
  failOnInvalid: failOnInvalidTimestamp,
  logAndSkipOnInvalid: skipInvalidTimestamp,
  usePartitionTimeOnInvalid: usePartitionTimeOnInvalidTimestamp,
  valueNumber: ({ value }, partitionTimeMs) => (value === null ? partitionTimeMs : Number(num(value as Value))),
}

/** The extractor that a field names, or undefined if it is left out. */
export function timestampExtractor(raw: Raw): TimestampExtractor | undefined {
  const name = text(raw, 'timestampExtractor')
  return name === undefined ? undefined : named('timestamp extractor', extractors, name)
}
