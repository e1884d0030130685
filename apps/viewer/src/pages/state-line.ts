import { type PollStatus, type PollView, statusOf } from '../poll-view.ts'
import type { Visit } from './document.ts'
import { sayHtml } from './document.ts'
import { escapeHtml } from './html.ts'
import type { Key } from './messages/index.ts'

const chipOf: { readonly [status in PollStatus]: Key } = {
  scheduled: 'chipScheduled',
  open: 'chipOpen',
  closed: 'chipClosed',
  final: 'chipFinal',
}
const noteOf: { readonly [status in PollStatus]: Key } = {
  scheduled: 'noteScheduled',
  open: 'noteOpen',
  closed: 'noteClosed',
  final: 'noteFinal',
}

/** What state a poll is in, as one word. */
export const chipText = (visit: Visit, status: PollStatus): string => visit.tongue.say(chipOf[status])

/** The script shows it where something moves. */
export const pauseButton = ({ tongue }: Visit): string =>
  `<button type="button" id="pause" aria-pressed="false" hidden>${tongue.say('pause')}</button>`

/**
 * How far a reader may trust what the page shows: the chip, what it means, and up to when was counted. The script makes it
 * say whether the page is live.
 */
export function stateLine(visit: Visit, view: PollView, isFrozen = false): string {
  const { say, words } = visit.tongue
  const { nowMs } = visit
  const status = statusOf(view, nowMs)
  const time = `<time id="as-of">${view.asOfMs === null ? '' : escapeHtml(words.moment(view.asOfMs, nowMs))}</time>`
  const asOf = sayHtml(visit.tongue.texts.live.asOf as string, { time })
  return `<div class="state">
<span id="status" class="chip" data-state="${isFrozen ? 'frozen' : status}">${isFrozen ? say('chipFrozen') : chipText(visit, status)}</span>
<span id="note">${say(isFrozen ? 'noteFrozen' : noteOf[status])}</span>
<span class="as-of"><span id="as-of-line"${view.asOfMs === null ? ' hidden' : ''}>${asOf}</span><span id="no-ballot"${view.asOfMs === null ? '' : ' hidden'}>${say('noBallot')}</span> <span id="age"></span></span></div>
<p id="announce" class="hidden" role="status"></p>${status === 'open' || status === 'scheduled' ? `<noscript><p class="muted">${say('withoutScript')}</p></noscript>` : ''}`
}
