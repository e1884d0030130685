import type { WebSocket } from 'ws'
import type { TrendRow } from '../result-store.ts'
import type { TrendColumns } from '../trend-columns.ts'
import { windowSizes } from '../trend-columns.ts'

/** Numbers of a trend in one frame: some 30 kB, a small part of what makes a socket too slow. */
export const numbersPerFrame = 4000

/** The windows of columns in which something was counted. */
export function rowsOf(pollId: string, { window, startMs, counts }: TrendColumns): readonly TrendRow[] {
  const options = Object.entries(counts)
  return startMs.flatMap((start, i) => {
    const changed = options.filter(([, column]) => column[i] !== 0).map(([id, column]) => [id, column[i] ?? 0] as const)
    if (changed.length === 0) return []
    return [{ pollId, windowMs: windowSizes[window], startMs: start, counts: Object.fromEntries(changed) }]
  })
}

/**
 * A trend that is too long for one frame, in slices from the newest on: what a page shows first comes first. A window that is
 * sent with a change meanwhile is left out, for what was read of it before is old.
 */
export class TrendSlices {
  readonly #rows: TrendRow[]
  readonly #rowsPerSlice: number
  readonly #changed = new Set<number>()

  constructor(rows: readonly TrendRow[], optionCount: number) {
    this.#rows = rows.toSorted((a, b) => a.startMs - b.startMs)
    this.#rowsPerSlice = Math.max(1, Math.floor(numbersPerFrame / Math.max(1, optionCount)))
  }

  /** These have gone out with a change. */
  changed(rows: readonly TrendRow[]): void {
    if (this.#rows.length > 0) for (const { startMs } of rows) this.#changed.add(startMs)
  }

  /** The newest that are left; none when all are out. */
  next(): readonly TrendRow[] {
    while (this.#rows.length > 0) {
      const slice = this.#rows.splice(-this.#rowsPerSlice).filter(({ startMs }) => !this.#changed.has(startMs))
      if (slice.length > 0) return slice
    }
    return []
  }
}

/** Sends slices, each when the one before has left the process: a slow socket holds one of them, not all. */
export function sendSlices(
  webSocket: WebSocket,
  slices: TrendSlices,
  frameOf: (rows: readonly TrendRow[]) => string | null,
  isWanted: () => boolean,
): void {
  if (!isWanted() || webSocket.readyState !== webSocket.OPEN) return
  const frame = frameOf(slices.next())
  if (frame === null) return
  webSocket.send(frame, (error) => {
    if (!error) sendSlices(webSocket, slices, frameOf, isWanted)
  })
}
