import type { PollView } from '../poll-view.ts'
import type { ResultStore } from '../result-store.ts'
import { unseal } from '../sealing.ts'
import { trendColumns, windowSizes } from '../trend-columns.ts'
import { bucketFrame, deltaFrame, snapFrame, type Subscribe } from './protocol.ts'

/** One snapshot; to a client that resumes, one change from where it was, or nothing where it is up to date (D31). */
export async function answerTo(
  store: ResultStore,
  found: PollView,
  request: Subscribe,
  isVoter: boolean,
): Promise<{ view: PollView; frame: string | null }> {
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
      const isBehind = request.ver < view.version
      const frame = isBehind
        ? deltaFrame(view, { version: request.ver }, nowMs, window, rows)
        : window && bucketFrame(view, window, rows)
      return { view, frame }
    }
  }
  const range = since === undefined ? {} : { fromMs: since }
  const trend = window === null || found.hiding !== null ? null : await trendColumns(store, found, window, nowMs, range)
  const view = await newest()
  return { view, frame: snapFrame(view, Date.now(), trend) }
}

const alignedTo = (windowMs: number, timeMs = 0): number => Math.floor(timeMs / windowMs) * windowMs
