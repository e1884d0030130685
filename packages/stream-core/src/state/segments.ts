import type { SegmentRange } from './base-table.ts'
import { segmentIntervalMs } from './store-spec.ts'
import type { StoreMeta } from './store-meta.ts'

/**
 * How a window or session store forgets (reference §2.3): what is older than the retention is invisible at once, and
 * refused and deleted a whole slice of time at a time. Arithmetic is Java's on longs: division truncates.
 */
export class Segments {
  readonly intervalMs: number
  readonly #retentionMs: number
  readonly #meta: StoreMeta

  constructor(retentionMs: number, meta: StoreMeta) {
    this.#retentionMs = Math.min(retentionMs, Number.MAX_SAFE_INTEGER)
    this.intervalMs = segmentIntervalMs(retentionMs)
    this.#meta = meta
  }

  idOf(timeMs: number): number {
    return Math.trunc(timeMs / this.intervalMs)
  }

  /** The first slice that still takes puts. */
  get firstLive(): number {
    return this.idOf(this.#meta.active.observedStreamTimeMs - this.#retentionMs)
  }

  /** The same by what is committed, for the disk: what an open transaction has seen may be rolled back. */
  get firstCommittedLive(): number {
    return this.idOf(this.#meta.committed.observedStreamTimeMs - this.#retentionMs)
  }

  isLive(timeMs: number): boolean {
    return this.idOf(timeMs) >= this.firstLive
  }

  /** The oldest time that reads show. */
  get oldestVisibleMs(): number {
    return this.#meta.active.observedStreamTimeMs - this.#retentionMs + 1
  }

  /** Slices between two times, the dead ones left out, one by one: rows are read slice by slice. */
  *between(fromMs: number, toMs: number): Generator<SegmentRange> {
    const { observedStreamTimeMs } = this.#meta.active
    const first = Math.max(this.idOf(fromMs), this.firstLive, 0)
    const last = this.idOf(Math.min(toMs, observedStreamTimeMs))
    for (let id = first; id <= last; id++) yield { first: id, last: id }
  }

  range(fromMs: number, toMs: number): SegmentRange {
    return { first: Math.max(this.idOf(fromMs), this.firstLive, 0), last: this.idOf(toMs) }
  }
}
