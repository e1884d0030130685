import type { PollView } from './poll-view.ts'
import type { ResultStore } from './result-store.ts'

export const windowSizes = { '1s': 1000, '10s': 10_000, '1m': 60_000 } as const
export type WindowName = keyof typeof windowSizes

export const isWindowName = (name: string): name is WindowName => Object.hasOwn(windowSizes, name)

/** The newest windows win: older ones are to be had with a wider window, or with `from` and `to`. */
export const windowsMax = 10_000

export interface TrendColumns {
  readonly window: WindowName
  /** Start of each window in milliseconds, with no gap. */
  readonly startMs: readonly number[]
  /** Net change of each option in each window. */
  readonly counts: { readonly [option: string]: readonly number[] }
}

export interface TrendRange {
  readonly fromMs?: number
  readonly toMs?: number
}

/**
 * A poll's trend as aligned columns, every window from the opening to now or the close, zeros where nothing was counted.
 * Bounds narrow that down and never widen it: there is nothing to tell of the time before the opening or of the future.
 */
export async function trendColumns(
  store: ResultStore,
  view: PollView,
  window: WindowName,
  nowMs: number,
  range: TrendRange = {},
): Promise<TrendColumns> {
  const windowMs = windowSizes[window]
  const align = (timeMs: number): number => Math.floor(timeMs / windowMs) * windowMs
  const { poll } = view
  const firstCounted = await store.firstTrendStart(poll.id, windowMs)
  const begin = Math.min(poll.opensAtMs, firstCounted ?? poll.opensAtMs)
  // A ballot that was on its way at the close may be counted in the window after it.
  const natural = poll.isClosed || nowMs >= poll.closesAtMs ? Math.max(poll.closesAtMs, view.asOfMs ?? 0) : nowMs
  const end = Math.max(Math.min(natural, nowMs), view.asOfMs ?? 0)
  const last = align(Math.min(end, (range.toMs ?? Infinity) - 1))
  const first = Math.max(align(Math.max(begin, range.fromMs ?? begin)), last - (windowsMax - 1) * windowMs)
  const startMs: number[] = []
  for (let start = first; start <= last; start += windowMs) startMs.push(start)
  const counts = Object.fromEntries(poll.options.map(({ id }) => [id, startMs.map(() => 0)]))
  for (const row of await store.trend(view, windowMs, first, last + windowMs)) {
    const index = (row.startMs - first) / windowMs
    for (const [option, count] of Object.entries(row.counts)) {
      const column = counts[option]
      if (column) column[index] = count
    }
  }
  return { window, startMs, counts }
}
