import type { AnalyticsDocument } from '@voting/election/analytics-events'
import type { ReceiptDocument, ResultDocument, TrendDocument } from '@voting/election/events'
import { topics } from '@voting/election/topics'

interface Advance {
  readonly topic: string
  readonly partition: number
  /** Offset the batch begins at. */
  readonly from: number
  /** Offset to read on from once the batch is written. */
  to: number
}

/** What goes into PostgreSQL in one transaction: of each key the newest value, and how far the log was read. */
export class SinkBatch {
  readonly results = new Map<string, ResultDocument>()
  readonly trends = new Map<string, TrendDocument>()
  readonly receipts = new Map<string, ReceiptDocument>()
  readonly analytics = new Map<string, AnalyticsDocument>()
  readonly #positions = new Map<string, Advance>()

  get size(): number {
    return this.results.size + this.trends.size + this.receipts.size + this.analytics.size
  }

  get positions(): readonly Advance[] {
    return [...this.#positions.values()]
  }

  add(topic: string, key: Buffer | null, value: Buffer | null): void {
    // The tally writes no tombstones; one that somebody else wrote deletes nothing here.
    if (key === null || value === null) return
    const id = key.toString()
    const document: unknown = JSON.parse(value.toString())
    if (topic === topics.results) this.results.set(id, document as ResultDocument)
    else if (topic === topics.trends) this.trends.set(id, document as TrendDocument)
    else if (topic === topics.analytics) this.analytics.set(id, document as AnalyticsDocument)
    else this.receipts.set(id, document as ReceiptDocument)
  }

  advance(partition: { readonly topic: string; readonly partition: number }, from: number, to: number): void {
    const key = `${partition.topic}:${partition.partition}`
    const known = this.#positions.get(key)
    if (known) known.to = to
    else this.#positions.set(key, { topic: partition.topic, partition: partition.partition, from, to })
  }
}
