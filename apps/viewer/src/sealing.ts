import type { ResultsVisible } from '@voting/election/poll-terms'
import { type PollView, statusOf } from './poll-view.ts'

/** Why results are not to be seen yet. */
export type Hiding = Exclude<ResultsVisible, 'live'>

const unsealed = Symbol('what a sealed view hides')

type SealedView = PollView & { readonly [unsealed]?: PollView }

/** Whether a poll's results are to be seen at this time, by whoever; null: they are. */
function hidingOf(view: PollView, nowMs: number): Hiding | null {
  const { resultsVisible } = view.poll
  if (resultsVisible === 'live' || ['closed', 'final'].includes(statusOf(view, nowMs))) return null
  if (typeof resultsVisible === 'object' && view.voters >= resultsVisible.from) return null
  return resultsVisible
}

/**
 * The view as everybody may have it. Where results are hidden nothing is left in it that tells of a choice: whatever is made of
 * it, a page, a frame or a file, cannot leak. How many have voted, and what became of their ballots, is no secret.
 */
export function seal(view: PollView, nowMs: number): PollView {
  const hiding = hidingOf(view, nowMs)
  if (hiding === null) return view
  const sealed: SealedView = { ...view, hiding, totals: {}, blank: null, regions: {}, [unsealed]: view }
  return sealed
}

/** All of it, for who may see it already. */
export const unseal = (view: PollView): PollView => (view as SealedView)[unsealed] ?? view
