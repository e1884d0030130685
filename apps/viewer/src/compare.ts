import { analyticsMinuteMs } from '@voting/election/analytics-events'
import { type PollView, statusOf } from './poll-view.ts'
import type { ResultStore } from './result-store.ts'

/** Polls beside each other, on one axis: the time since each was opened. */
export interface Comparison {
  readonly stepMs: number
  /** 0, step, 2 step, …: as long as the longest of them. */
  readonly elapsedMs: readonly number[]
  readonly runs: readonly Run[]
}

/** How one poll stood at each of these times; null after its end, and where it has not come to yet. */
export interface Run {
  readonly view: PollView
  readonly voters: readonly (number | null)[]
  readonly totals: { readonly [option: string]: readonly (number | null)[] }
}

/** A chart has no more pixels than this, and a phone no more memory. */
const pointsMax = 1000
/** The polls that one may be compared with at a time. */
export const comparedMax = 3

const minuteOf = (timeMs: number): number => Math.floor(timeMs / analyticsMinuteMs) * analyticsMinuteMs

/** When a poll's curve ends: now, at its close, or with the last ballot that was on its way then. */
function endOf(view: PollView, nowMs: number): number {
  const { poll, asOfMs } = view
  if (statusOf(view, nowMs) === 'open') return Math.max(nowMs, asOfMs ?? 0)
  return Math.max(Math.min(poll.closesAtMs, nowMs), asOfMs ?? 0)
}

/** The curves of polls, from their standings at the end of each minute, in steps that make few enough points. */
export async function compare(store: ResultStore, views: readonly PollView[], nowMs: number): Promise<Comparison> {
  const lengths = views.map((view) => Math.max(0, endOf(view, nowMs) - minuteOf(view.poll.opensAtMs)))
  const minutes = Math.ceil(Math.max(...lengths) / analyticsMinuteMs)
  const stepMs = Math.max(1, Math.ceil(minutes / pointsMax)) * analyticsMinuteMs
  const length = Math.ceil((minutes * analyticsMinuteMs) / stepMs) + 1
  const runs = await Promise.all(
    views.map(async (view, i): Promise<Run> => {
      const points = new Map(
        (await store.curve(view, minuteOf(view.poll.opensAtMs), stepMs)).map((point) => [point.index, point]),
      )
      const voters: (number | null)[] = []
      const totals: { [option: string]: (number | null)[] } = {}
      for (const { id } of view.poll.options) totals[id] = []
      const last = Math.ceil(lengths[i]! / stepMs)
      let current: CurvePoint | undefined
      for (let index = 0; index < length; index++) {
        current = points.get(index) ?? current
        const isOver = index > last
        voters.push(isOver ? null : (current?.voters ?? 0))
        for (const { id } of view.poll.options) totals[id]!.push(isOver ? null : (current?.totals[id] ?? 0))
      }
      return { view, voters, totals }
    }),
  )
  return { stepMs, elapsedMs: Array.from({ length }, (_, i) => i * stepMs), runs }
}

export interface CurvePoint {
  /** So many steps after the opening. */
  readonly index: number
  readonly voters: number
  readonly totals: { readonly [option: string]: number }
}
