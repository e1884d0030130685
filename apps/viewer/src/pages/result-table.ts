import { lineOf } from '../../public/shared.js'
import type { PollView } from '../poll-view.ts'
import { link, type Visit } from './document.ts'
import { escapeHtml } from './html.ts'

/** An option, and how it is drawn in the chart: where colours repeat, the dashes differ. */
export const optionName = (label: string, index: number): string =>
  keyed(lineOf(index), `<bdi>${escapeHtml(label)}</bdi>`)

/** Something beside the line that it has in the chart. */
export function keyed({ colour, dash }: ReturnType<typeof lineOf>, name: string): string {
  const dashes = dash.length === 0 ? '' : ` stroke-dasharray="${dash.join(' ')}"`
  const line = `<line class="c${colour}" x1="0" y1="6" x2="30" y2="6"${dashes}/>`
  return `<span class="name"><svg class="key" width="30" height="12" aria-hidden="true">${line}</svg>${name}</span>`
}

export interface ResultTableOptions {
  readonly view: PollView
  /** Net change of each option in the last five minutes; null where nothing changes any more. */
  readonly recent: { readonly [option: string]: number } | null
  readonly isByVotes: boolean
  /** Without the links that order it. */
  readonly isPlain?: boolean
}

/** Bars are SVG rectangles, because the page's policy allows no inline styles. */
export function resultTable(visit: Visit, options: ResultTableOptions): string {
  const { view, recent, isByVotes, isPlain = false } = options
  const { say, words } = visit.tongue
  const indexed = view.poll.options.map((option, index) => ({ ...option, index, votes: view.totals[option.id] ?? 0 }))
  if (isByVotes) indexed.sort((a, b) => b.votes - a.votes)
  const shareOf = (votes: number): number => (view.voters === 0 ? 0 : votes / view.voters)
  const rows = indexed.map(({ id, label, index, votes }) => {
    const share = shareOf(votes)
    const change =
      recent === null ? '' : `<td class="n recent" data-cell="recent">${words.signed(recent[id] ?? 0)}</td>`
    return `<tr data-option="${escapeHtml(id)}"><th scope="row">${optionName(label, index)}</th>
<td class="bar-column"><svg class="bar" aria-hidden="true"><rect class="c${lineOf(index).colour}" width="${(share * 100).toFixed(2)}%" height="100%"/></svg></td>
<td class="n" data-cell="votes">${words.number(votes)}</td><td class="n" data-cell="share">${words.percent(share)}</td>${change}</tr>`
  })
  if (view.blank !== null) {
    rows.push(
      `<tr id="blank"><th scope="row">${say('blank')}</th><td class="bar-column"></td><td class="n" data-cell="votes">${words.number(view.blank)}</td><td class="n" data-cell="share">${words.percent(shareOf(view.blank))}</td>${recent === null ? '' : '<td class="recent"></td>'}</tr>`,
    )
  }
  const head = [
    `<th scope="col">${say('option')}</th><th scope="col" class="bar-column"><span class="hidden">${say('bar')}</span></th>`,
    `<th scope="col" class="n">${say('votesColumn')}</th><th scope="col" class="n">${say('shareColumn')}</th>`,
    recent === null ? '' : `<th scope="col" class="n recent">${say('recentColumn')}</th>`,
  ]
  const note =
    view.poll.maxChoices > 1 ? `<p class="muted">${say('multipleNote', { n: view.poll.maxChoices })}</p>` : ''
  return `${isPlain ? '' : order(visit, isByVotes)}<table class="results" id="results">
<thead><tr>${head.join('')}</tr></thead><tbody>${rows.join('')}</tbody></table>${note}`
}

/** Rows change places only when somebody asks for it, never under a finger. */
function order(visit: Visit, isByVotes: boolean): string {
  const { say } = visit.tongue
  const { sort: _, ...others } = visit.parameters
  const item = (isChosen: boolean, text: string, parameters: { readonly [name: string]: string }): string =>
    `<a href="${link(visit, visit.path, parameters)}"${isChosen ? ' aria-current="true"' : ''}>${text}</a>`
  return `<p class="order">${say('sort')}: ${item(!isByVotes, say('sortPoll'), others)} ${item(isByVotes, say('sortVotes'), { ...others, sort: 'votes' })}</p>`
}

export function regionTable(visit: Visit, { poll, regions }: PollView): string {
  if (poll.regions.length === 0) return ''
  const { say, words } = visit.tongue
  const head = poll.options
    .map(({ label }) => `<th scope="col" class="n"><bdi>${escapeHtml(label)}</bdi></th>`)
    .join('')
  const rows = poll.regions.map((region) => {
    const counts = regions[region] ?? {}
    const cells = poll.options.map(
      ({ id }) => `<td class="n" data-cell="${escapeHtml(id)}">${words.number(counts[id] ?? 0)}</td>`,
    )
    return `<tr data-region="${escapeHtml(region)}"><th scope="row"><bdi>${escapeHtml(region)}</bdi></th>${cells.join('')}</tr>`
  })
  return `<section aria-labelledby="region-heading"><h2 id="region-heading">${say('regionHeading')}</h2>
<div class="scroll" tabindex="0" role="group" aria-labelledby="region-heading"><table id="regions"><thead><tr><th scope="col">${say('region')}</th>${head}</tr></thead><tbody>${rows.join('')}</tbody></table></div></section>`
}
