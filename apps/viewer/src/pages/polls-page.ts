import { type PollView, statusOf } from '../poll-view.ts'
import { document, link, type Visit } from './document.ts'
import { escapeHtml } from './html.ts'
import { chipText } from './state-line.ts'

const pollsPerPage = 25

/** Every poll there has been, newest first, a page at a time. */
export function pollsPage(visit: Visit, polls: readonly PollView[], page: number): string {
  const { say } = visit.tongue
  const pages = Math.max(1, Math.ceil(polls.length / pollsPerPage))
  const current = Math.min(Math.max(1, page), pages)
  const shown = polls.slice((current - 1) * pollsPerPage, current * pollsPerPage)
  const turn = (to: number, text: string): string =>
    to < 1 || to > pages ? '' : `<a href="${link(visit, '/polls', { page: String(to) })}">${text}</a>`
  const pager =
    pages === 1
      ? ''
      : `<nav class="pager" aria-label="${say('pages')}">${turn(current - 1, say('newer'))} <span>${say('pageOf', { n: current, of: pages })}</span> ${turn(current + 1, say('older'))}</nav>`
  return document(visit, {
    title: say('allPolls'),
    body: `<h1>${say('allPolls')}</h1>
${shown.length === 0 ? `<p>${say('noPolls')}</p>` : `<ul class="polls">${shown.map((view) => item(visit, view, polls)).join('')}</ul>`}${pager}`,
  })
}

function item(visit: Visit, view: PollView, polls: readonly PollView[]): string {
  const { say, words } = visit.tongue
  const { poll } = view
  const status = statusOf(view, visit.nowMs)
  const before = polls.find(
    (other) => other.poll.seriesId === poll.seriesId && other.poll.run < poll.run && other.poll.id !== poll.id,
  )
  const facts = [
    escapeHtml(words.when(status, poll.opensAtMs, poll.closesAtMs)),
    escapeHtml(say('ballots', { n: view.voters })),
  ]
  if (view.voters > 0 && view.hiding === null)
    facts.push(`${say('leadNow')}: ${escapeHtml(words.lead(poll.options, view.totals))}`)
  const run = poll.run > 1 || polls.some((other) => other.poll.id !== poll.id && other.poll.seriesId === poll.seriesId)
  return `<li><h2><a href="${link(visit, `/p/${poll.slug}`)}"><bdi>${escapeHtml(poll.title)}</bdi></a></h2>
<p class="state"><span class="chip" data-state="${status}">${chipText(visit, status)}</span>${run ? `<span>${say('run', { n: poll.run })}</span>` : ''}</p>
<p>${facts.join('<br>')}</p>${before && view.hiding === null ? `<p><a href="${link(visit, `/p/${poll.slug}`, { cmp: before.poll.slug, mode: 'share' })}">${escapeHtml(say('compareRun', { n: before.poll.run }))}</a></p>` : ''}</li>`
}
