import type { Comparison } from '../compare.ts'
import { type PollView, statusOf } from '../poll-view.ts'
import { link, type Visit } from './document.ts'
import { escapeHtml } from './html.ts'

/** So many times of the comparison stand in its table. */
const rowsMax = 12
const candidatesMax = 30

/** Which polls a poll may be compared with: first the other runs of its series. */
export function candidatesOf(view: PollView, polls: readonly PollView[]): readonly PollView[] {
  const isSameSeries = ({ poll }: PollView): boolean => poll.seriesId === view.poll.seriesId
  return polls
    .filter(({ poll, hiding }) => poll.id !== view.poll.id && hiding === null)
    .toSorted((a, b) => Number(isSameSeries(b)) - Number(isSameSeries(a)))
    .slice(0, candidatesMax)
}

/** A form, so that it needs no script: the address names what is compared. */
export function compareForm(visit: Visit, candidates: readonly PollView[], chosen: string | undefined): string {
  if (candidates.length === 0) return ''
  const { say, words } = visit.tongue
  const { cmp: _, ...others } = visit.parameters
  const options = candidates.map(
    ({ poll }) =>
      `<option dir="auto" value="${escapeHtml(poll.slug)}"${poll.slug === chosen ? ' selected' : ''}>${escapeHtml(`\u2068${poll.title}\u2069 (\u2068${words.day(poll.opensAtMs)}\u2069)`)}</option>`,
  )
  // What does not fit is cut at the end of the title, also where that runs the other way than the page.
  const title = candidates.find(({ poll }) => poll.slug === chosen)?.poll.title
  const direction = title === undefined ? '' : ` dir="${runsRightToLeft(title) ? 'rtl' : 'ltr'}"`
  return `<form class="compare" method="get" action="${escapeHtml(visit.path)}">${hiddenInputs(visit, others)}
<label for="cmp">${say('compareWith')}</label>
<select id="cmp" name="cmp"${direction}><option value="">${say('compareNone')}</option>${options.join('')}</select>
<button type="submit">${say('compareGo')}</button></form>`
}

/** Which way a text begins: what `dir=auto` does, for an element that has several texts. */
const runsRightToLeft = (text: string): boolean =>
  /^[^\p{L}]*[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}]/u.test(text)

/** What a form leaves as it is. */
export function hiddenInputs(visit: Visit, parameters: { readonly [name: string]: string }): string {
  const all = { ...parameters, ...(visit.isTongueNamed && { lang: visit.tongue.name }) }
  return Object.entries(all)
    .map(([name, value]) => `<input type="hidden" name="${name}" value="${escapeHtml(value)}">`)
    .join('')
}

/** Two polls at the same times after their openings. The script draws them into the chart. */
export function compareSection(visit: Visit, { elapsedMs, runs }: Comparison): string {
  const { say, words } = visit.tongue
  const [own, other] = runs
  if (!own || !other) return ''
  const reached = own.voters.findLastIndex((voters) => voters !== null)
  const name = other.view.poll.title
  const [mine, theirs] = [own.voters[reached] ?? 0, other.voters[reached] ?? other.view.voters]
  // A poll that has only begun has little to compare with the evening of the other one.
  const isOpen = statusOf(own.view, visit.nowMs) === 'open'
  const length = isOpen ? Math.min(elapsedMs.length, Math.max(rowsMax, 2 * reached) + 1) : elapsedMs.length
  const every = Math.max(1, Math.ceil((length - 1) / rowsMax))
  const rows = elapsedMs.slice(0, length).flatMap((ms, i) => {
    if (i === 0 || (i % every !== 0 && i !== length - 1)) return []
    const cells = own.view.poll.options.flatMap(({ id }) =>
      [own, other].map((run) => `<td class="n">${shareAt(run.totals[id]?.[i], run.voters[i], words.percent)}</td>`),
    )
    return `<tr><th scope="row">${words.elapsed(ms)}</th>${[own, other].map(({ voters }) => `<td class="n">${voters[i] == null ? '–' : words.number(voters[i])}</td>`).join('')}${cells.join('')}</tr>`
  })
  const pair = `<th scope="col" class="n">${say('thisPoll')}</th><th scope="col" class="n">${say('otherPoll')}</th>`
  const heads = [say('ballotsCounted'), ...own.view.poll.options.map(({ label }) => label)].map(
    (label) => `<th scope="colgroup" colspan="2" class="n"><bdi>${escapeHtml(label)}</bdi></th>`,
  )
  return `<section aria-labelledby="compare-heading"><h2 id="compare-heading">${say('compareHeading')}</h2>
<p>${escapeHtml(say('compareSummary', { poll: name, n: mine, other: theirs, time: words.elapsed(elapsedMs[reached] ?? 0) }))}
<a href="${link(visit, `/p/${other.view.poll.slug}`)}"><bdi>${escapeHtml(name)}</bdi></a></p>
<div class="scroll" tabindex="0" role="group" aria-labelledby="compare-heading"><table id="compare-table"><caption>${say('compareCaption')}</caption>
<thead><tr><td></td>${heads.join('')}</tr><tr><th scope="col">${say('sinceOpening')}</th>${heads.map(() => pair).join('')}</tr></thead><tbody>${rows.join('')}</tbody></table></div></section>`
}

const shareAt = (
  votes: number | null | undefined,
  voters: number | null | undefined,
  percent: (share: number) => string,
): string => (votes == null || !voters ? '–' : percent(votes / voters))
