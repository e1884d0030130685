import type { PollView } from '../poll-view.ts'
import type { ResultStore } from '../result-store.ts'
import { unseal } from '../sealing.ts'
import { trendColumns, windowSizes } from '../trend-columns.ts'
import { bucketFrame, deltaFrame, snapFrame, type Subscribe } from './protocol.ts'
import { numbersPerFrame, rowsOf, TrendSlices } from './trend-slices.ts'

export interface Answer {
  readonly view: PollView
  /** null: the client is up to date, but for the trend perhaps. */
  readonly frame: string | null
  /** What of the trend follows in frames of its own. */
  readonly slices: TrendSlices
}

/**
 * One snapshot; to a client that resumes, one change from where it was, or nothing where it is up to date (D31). The trend
 * follows in slices where it is long.
 */
export async function answerTo(
  store: ResultStore,
  found: PollView,
  request: Subscribe,
  isVoter: boolean,
): Promise<Answer> {
  const { id } = found.poll
  const newest = async (): Promise<PollView> => {
    const view = (await store.poll(id)) ?? found
    return isVoter ? unseal(view) : view
  }
  const { res: window = null, since } = request.trend ?? {}
  const nowMs = Date.now()
  if (request.ver !== undefined && request.epoch === found.epoch) {
    const windowMs = window === null ? 0 : windowSizes[window]
    const rows = window === null ? [] : await store.trend(found, windowMs, alignedTo(windowMs, since), nowMs + windowMs)
    const view = await newest()
    if (view.epoch === request.epoch) {
      const optionCount = view.poll.options.length
      const isLong = rows.length * optionCount > numbersPerFrame
      const [now, later] = isLong ? [[], rows] : [rows, []]
      const isBehind = request.ver < view.version
      const frame = isBehind
        ? deltaFrame(view, { version: request.ver }, nowMs, window, now)
        : window && bucketFrame(view, window, now)
      return { view, frame, slices: new TrendSlices(later, optionCount) }
    }
  }
  const range = since === undefined ? {} : { fromMs: since }
  const trend = window === null || found.hiding !== null ? null : await trendColumns(store, found, window, nowMs, range)
  const view = await newest()
  const optionCount = view.poll.options.length
  if (trend === null || trend.startMs.length * optionCount <= numbersPerFrame) {
    return { view, frame: snapFrame(view, Date.now(), trend), slices: new TrendSlices([], optionCount) }
  }
  // It says where the trend begins; what was counted follows.
  const empty = { ...trend, counts: {} }
  return { view, frame: snapFrame(view, Date.now(), empty), slices: new TrendSlices(rowsOf(id, trend), optionCount) }
}

const alignedTo = (windowMs: number, timeMs = 0): number => Math.floor(timeMs / windowMs) * windowMs
