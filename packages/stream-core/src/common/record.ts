/** Ordered pairs, names may repeat, values may be null: as Kafka carries them. */
export type Headers = readonly (readonly [name: string, value: Buffer | null])[]

export const noHeaders: Headers = Object.freeze([])

/** What flows between processors. Immutable: a processor that changes something forwards a new one. */
export interface Record<K, V> {
  readonly key: K
  readonly value: V
  /** Event time in milliseconds since the epoch. */
  readonly timestampMs: number
  readonly headers: Headers
}

/**
 * The record that is being processed, as stores and changelogs see it: its time and headers are those of the last
 * forward, the rest says where the input record came from (topic null inside a punctuation).
 */
export interface RecordContext {
  readonly timestampMs: number
  readonly headers: Headers
  readonly topic: string | null
  readonly partition: number
  readonly offset: number
}

/** Before the first record. */
export const noRecordContext: RecordContext = Object.freeze({
  timestampMs: -1,
  headers: noHeaders,
  topic: null,
  partition: -1,
  offset: -1,
})

/** A log's smallest unit of order. */
export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** A map key for a topic and partition. Topic names cannot contain a colon. */
export const partitionKey = (topic: string, partition: number): string => `${topic}:${partition}`
