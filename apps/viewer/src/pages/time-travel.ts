import type { PollView } from '../poll-view.ts'
import { hiddenInputs } from './compare-section.ts'
import { link, sayHtml, type Visit } from './document.ts'
import { escapeHtml } from './html.ts'

/** As a form field for a time without zone has it; it is UTC. */
const fieldTime = (ms: number): string => new Date(ms).toISOString().slice(0, 16)

/** Of a poll that is over: a form that asks how it stood at some time. */
export function timeTravelForm(visit: Visit, { poll }: PollView, atMs: number | null): string {
  const { say } = visit.tongue
  const { at: _, ...others } = visit.parameters
  const minuteMs = 60_000
  const [min, max] = [poll.opensAtMs, Math.ceil(poll.closesAtMs / minuteMs) * minuteMs].map(fieldTime)
  return `<form class="compare" method="get" action="${escapeHtml(visit.path)}">${hiddenInputs(visit, others)}
<label for="at">${say('atLabel')}</label>
<input type="datetime-local" id="at" name="at" min="${min}" max="${max}" value="${atMs === null ? max : fieldTime(atMs)}" required>
<button type="submit">${say('atGo')}</button></form>`
}

/** Above everything else: what is shown is not the result. */
export function timeTravelNotice(visit: Visit, atMs: number): string {
  const { say, words } = visit.tongue
  const { at: _, ...others } = visit.parameters
  const text = sayHtml(visit.tongue.texts.page.atNotice as string, {
    time: `<time>${escapeHtml(words.dayAndMinute(atMs))}</time>`,
  })
  return `<p class="notice" id="frozen">${text} <a href="${link(visit, visit.path, others)}">${say('atBack')}</a></p>`
}
