import type { Entry } from './entry.ts'
import type { InnerStore } from './inner-store.ts'
import { aboveEveryKey, type LayeredTable, type TableRange } from './layered-table.ts'
import type { Segments } from './segments.ts'
import type { StoreMeta } from './store-meta.ts'
import { byStartAndKey, int64Text, windowKey, windowKeyPart, windowStart, windowSuffixLength } from './window-key.ts'

/** Which windows, by their start; both ends belong to it. */
export interface WindowRange {
  readonly fromMs: number
  readonly toMs: number
  readonly reverse: boolean
}

/** The rows of a window store, as its retention lets them be seen: slice by slice, within each by key bytes and start. */
export class WindowRowsInner implements InnerStore {
  readonly #table: LayeredTable
  readonly #meta: StoreMeta
  readonly #segments: Segments
  readonly #isTimeFirst: boolean
  readonly #refuse: (key: string, entry: Entry) => void

  constructor(
    table: LayeredTable,
    meta: StoreMeta,
    segments: Segments,
    isTimeFirst: boolean,
    refuse: (key: string, entry: Entry) => void,
  ) {
    this.#table = table
    this.#meta = meta
    this.#segments = segments
    this.#isTimeFirst = isTimeFirst
    this.#refuse = refuse
  }

  find(key: string): Entry | undefined {
    return windowStart(key) < this.#oldestVisibleMs ? undefined : this.#table.find(key)
  }

  put(key: string, entry: Entry): void {
    const startMs = windowStart(key)
    this.#meta.observe(startMs)
    if (this.#segments.isLive(startMs)) this.#table.set(key, entry)
    else this.#refuse(key, entry)
  }

  *range(from: string, to: string, options: TableRange = {}): Generator<[string, Entry]> {
    const oldest = this.#oldestVisibleMs
    if (options.group !== undefined && options.group !== null) {
      const segments = this.#segments.range(oldest, Number.POSITIVE_INFINITY)
      for (const row of this.#table.range(from, to, { ...options, segments })) {
        if (windowStart(row[0]) >= oldest) yield row
      }
      return
    }
    if (this.#isTimeFirst) {
      const segments = this.#segments.range(oldest, Number.POSITIVE_INFINITY)
      const rows = [...this.#table.range(from, to, { segments })].filter(([key]) => windowStart(key) >= oldest)
      rows.sort(([a], [b]) => byStartAndKey(a, b))
      yield* options.reverse === true ? rows.reverse() : rows
      return
    }
    const slices = [...this.#segments.between(oldest, Number.POSITIVE_INFINITY)]
    if (options.reverse === true) slices.reverse()
    for (const segments of slices) {
      for (const row of this.#table.range(from, to, { ...options, segments })) {
        if (windowStart(row[0]) >= oldest) yield row
      }
    }
  }

  /** Java's time-ordered store shows one millisecond more (reference §2.3). */
  get #oldestVisibleMs(): number {
    return this.#segments.oldestVisibleMs - (this.#isTimeFirst ? 1 : 0)
  }
}

/** Stored windows of one key, by start. */
export function* windowsOfKey(
  rows: InnerStore,
  prefix: string,
  { fromMs, toMs, reverse }: WindowRange,
): Generator<[string, Entry]> {
  if (toMs < fromMs || toMs < 0) return
  const low = windowKey(prefix, Math.max(0, fromMs))
  const high = Number.isFinite(toMs) ? prefix + int64Text(toMs + 1) : `${prefix}\xff`
  const length = prefix.length + windowSuffixLength
  const scan = { keyFrom: prefix, keyTo: prefix, fromMs: Math.max(0, fromMs), toMs, reverse }
  for (const row of rows.range(low, high, { reverse, group: prefix, earliestMs: fromMs, scan })) {
    // Keys of other lengths may lie between those of this one.
    if (row[0].length !== length || windowKeyPart(row[0]) !== prefix) continue
    yield row
  }
}

/** Stored windows of the keys between two, both included. */
export function* allWindows(
  rows: InnerStore,
  keyFrom: string | null,
  keyTo: string | null,
  { fromMs, toMs, reverse }: WindowRange,
): Generator<[string, Entry]> {
  if (keyFrom !== null && keyTo !== null && keyFrom > keyTo) return
  const scan = { keyFrom, keyTo, fromMs: Math.max(0, fromMs), toMs, reverse }
  for (const row of rows.range(keyFrom ?? '', aboveEveryKey, { reverse, scan })) {
    const key = windowKeyPart(row[0])
    if (keyFrom !== null && key < keyFrom) continue
    if (keyTo !== null && key > keyTo) continue
    const startMs = windowStart(row[0])
    if (startMs >= fromMs && startMs <= toMs) yield row
  }
}
