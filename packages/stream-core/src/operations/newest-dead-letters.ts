import type { Broker } from '../broker/broker.ts'
import { type Clock, monotonicMs } from '../common/clock.ts'
import { printable, printableBytes } from '../common/printable.ts'
import type { Headers } from '../common/record.ts'

/** What is in the dead-letter topic, as far as a look at its end can tell. */
export interface DeadLetters {
  /** null: the application names none. */
  readonly topic: string | null
  /** Offsets in the topic: about as many records. null: not known. */
  readonly total: number | null
  /** Newest first. */
  readonly newest: readonly DeadLetter[]
  /** Why not more is known. */
  readonly problem: string | null
}

/** One line of characters that can be printed, in each text. `null`: may not be seen, or is not there. */
export interface DeadLetter {
  readonly partition: number
  readonly offset: number
  readonly timestampMs: number
  /** Class of the error. */
  readonly exception: string
  /** The record that failed: `topic-partition@offset`. */
  readonly from: string
  readonly message: string | null
  readonly key: string | null
  readonly value: string | null
}

const prefix = '__streams.errors.'
const lettersMax = 10
const partitionsMax = 32
const freshMs = 5000
const deadlineMs = 2000

/** Looks at the end of a topic, with a reader of its own, once in five seconds at most, and two seconds long at most. */
export class NewestDeadLetters {
  readonly #broker: Broker
  readonly #clock: Clock
  readonly #topic: string | null
  readonly #showsContents: boolean
  #looked: { readonly atMs: number; readonly found: Promise<DeadLetters> } | null = null

  constructor(broker: Broker, clock: Clock, topic: string | null, showsContents: boolean) {
    this.#broker = broker
    this.#clock = clock
    this.#topic = topic
    this.#showsContents = showsContents
  }

  look(): Promise<DeadLetters> {
    const topic = this.#topic
    if (topic === null) return Promise.resolve({ topic, total: null, newest: [], problem: null })
    const nowMs = monotonicMs(this.#clock)
    if (this.#looked === null || nowMs - this.#looked.atMs >= freshMs || nowMs < this.#looked.atMs) {
      const found = this.#read(topic).catch((error: unknown): DeadLetters => {
        return { topic, total: null, newest: [], problem: `the log was asked: ${String(error).slice(0, 300)}` }
      })
      this.#looked = { atMs: nowMs, found }
    }
    return this.#looked.found
  }

  async #read(topic: string): Promise<DeadLetters> {
    const { admin } = this.#broker
    const description = (await admin.describeTopics([topic])).get(topic)
    if (description === undefined) return { topic, total: null, newest: [], problem: 'there is no such topic' }
    const count = Math.min(description.partitionCount, partitionsMax)
    const partitions = Array.from({ length: count }, (_, partition) => ({ topic, partition }))
    const starts = await admin.listOffsets(partitions, 'earliest')
    const ends = await admin.listOffsets(partitions, 'latest-stable')
    const total = ends.reduce((sum, end, i) => sum + Math.max(0, end - starts[i]!), 0)
    const positions = partitions
      .map((at, i) => ({ ...at, offset: Math.max(starts[i]!, ends[i]! - lettersMax * 2) }))
      .filter(({ offset }, i) => offset < ends[i]!)
    const left = new Set(positions.map(({ partition }) => partition))
    const letters: DeadLetter[] = []
    const reader = this.#broker.openReader({ partitionMaxBytes: 256 * 1024, maxBytes: 2 * 1024 * 1024 })
    const endMs = monotonicMs(this.#clock) + deadlineMs
    try {
      reader.assign(positions)
      while (left.size > 0 && monotonicMs(this.#clock) < endMs) {
        for (const { partition, records } of await reader.poll(250)) {
          while (records.next()) {
            const { offset, timestampMs } = records
            const bytes = { key: records.key(), value: records.value() }
            letters.push(this.#letter({ partition, offset, timestampMs, headers: records.headers(), ...bytes }))
          }
          if (records.position >= ends[partition]!) left.delete(partition)
        }
      }
    } finally {
      await reader.close()
    }
    const newest = letters.sort((a, b) => b.timestampMs - a.timestampMs || b.offset - a.offset).slice(0, lettersMax)
    const isCut = description.partitionCount > count
    const problem =
      left.size > 0
        ? `partitions ${[...left].join(', ')} were not read in time`
        : isCut
          ? `only the first ${count} of ${description.partitionCount} partitions were looked at`
          : null
    return { topic, total, newest, problem }
  }

  #letter(record: {
    readonly partition: number
    readonly offset: number
    readonly timestampMs: number
    readonly headers: Headers
    readonly key: Buffer | null
    readonly value: Buffer | null
  }): DeadLetter {
    const { partition, offset, timestampMs, headers, key, value } = record
    const said = (name: string): string => {
      const bytes = headers.findLast(([header]) => header === `${prefix}${name}`)?.[1]
      return printable(bytes?.toString() ?? '?')
    }
    const opened = this.#showsContents
    return {
      partition,
      offset,
      timestampMs,
      exception: said('exception'),
      from: `${said('topic')}-${said('partition')}@${said('offset')}`,
      message: opened ? said('message') : null,
      key: opened ? printableBytes(key) : null,
      value: opened ? printableBytes(value) : null,
    }
  }
}
