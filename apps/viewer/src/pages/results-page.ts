import type { Analytics } from '../analytics.ts'
import { type PollView, statusOf } from '../poll-view.ts'
import type { Comparison } from '../compare.ts'
import type { Hiding } from '../sealing.ts'
import type { TrendColumns } from '../trend-columns.ts'
import { candidatesOf, compareForm, compareSection } from './compare-section.ts'
import { document, link, refreshWithoutScript, sayHtml, type Visit } from './document.ts'
import { findingsSection, shownMax } from './findings-section.ts'
import { comparisonBody } from '../bodies.ts'
import { hiddenSection } from './hidden-section.ts'
import { dataBlock, escapeHtml } from './html.ts'
import { regionTable, resultTable } from './result-table.ts'
import { chipText, pauseButton, stateLine } from './state-line.ts'
import { timeTravelForm, timeTravelNotice } from './time-travel.ts'
import { type Mode, type Range, trendSection } from './trend-section.ts'

export interface ResultsPageOptions {
  readonly view: PollView
  /** Votes per minute, for the table. */
  readonly trend: TrendColumns
  /** Net change of each option in the last five minutes; null where nothing changes any more. */
  readonly recent: { readonly [option: string]: number } | null
  /** Ballots of the last minute; null where there will be no more. */
  readonly lastMinute: number | null
  readonly found: Omit<Analytics, 'minutes'>
  readonly mode: Mode
  readonly range: Range
  readonly isByVotes: boolean
  /** With the poll that `cmp` names. */
  readonly comparison: Comparison | null
  /** The poll as it stood then; null: as it is. */
  readonly atMs: number | null
  readonly isOver: boolean
  readonly ballotUrl: string | null
  readonly others: readonly PollView[]
}

/** The results of a poll, whole and readable before any script runs; the script then keeps it current. */
export function resultsPage(visit: Visit, options: ResultsPageOptions): string {
  if (options.view.hiding !== null) return hiddenPage(visit, options, options.view.hiding)
  const { view, trend, recent, lastMinute, found, mode, range, isByVotes, ballotUrl, others } = options
  const { comparison, atMs, isOver } = options
  const { poll } = view
  const { say } = visit.tongue
  const compared = comparison?.runs[1]?.view.poll.slug
  const forms = `${atMs === null ? compareForm(visit, candidatesOf(view, others), compared) : ''}${isOver ? timeTravelForm(visit, view, atMs) : ''}${comparison?.runs[1] ? `<p class="muted">${escapeHtml(say('thinLines', { poll: comparison.runs[1].view.poll.title }))}</p>` : ''}`
  return document(visit, {
    title: `${chipText(visit, statusOf(view, visit.nowMs))} · ${poll.title} · ${say('results')}`,
    refresh: isOver ? '' : refreshWithoutScript,
    body: `${atMs === null ? '' : timeTravelNotice(visit, atMs)}${pageHeader(visit, view, ballotUrl, atMs !== null)}
${figures(visit, view, lastMinute)}
<section aria-labelledby="result-heading"><h2 id="result-heading">${say('resultHeading')}</h2>
${resultTable(visit, { view, recent, isByVotes })}</section>
${trendSection(visit, { view, trend, mode, range, forms })}
${comparison === null ? '' : compareSection(visit, comparison)}
${findingsSection(visit, view, found, atMs !== null)}
${regionTable(visit, view)}
${accounting(visit, view)}
${otherPolls(visit, view, others)}`,
    scripts: `${pollData(visit, view, { lastMinute, comparison, atMs })}
<script type="module" src="${visit.assets.get('results.js')}"></script>`,
  })
}

/** The same page without all that tells of a choice. */
function hiddenPage(visit: Visit, { view, lastMinute, ballotUrl, others }: ResultsPageOptions, hiding: Hiding): string {
  return document(visit, {
    title: `${chipText(visit, statusOf(view, visit.nowMs))} · ${view.poll.title} · ${visit.tongue.say('results')}`,
    refresh: refreshWithoutScript,
    body: `${pageHeader(visit, view, ballotUrl, false)}
${figures(visit, view, lastMinute)}
${hiddenSection(visit, view, hiding)}
${accounting(visit, view)}
${otherPolls(visit, view, others)}`,
    scripts: `${pollData(visit, view, { lastMinute })}
<script type="module" src="${visit.assets.get('embed.js')}"></script>`,
  })
}

function pageHeader(visit: Visit, view: PollView, ballotUrl: string | null, isFrozen: boolean): string {
  const { say, words } = visit.tongue
  const { poll } = view
  const status = statusOf(view, visit.nowMs)
  // There also while the poll is not open: the script shows it when it opens, and hides it at the close.
  const ballot =
    ballotUrl === null
      ? ''
      : `<a class="button" id="cast" href="${escapeHtml(`${ballotUrl}/p/${poll.slug}${visit.isTongueNamed ? `?lang=${visit.tongue.name}` : ''}`)}"${status === 'open' ? '' : ' hidden'}>${say('cast')}</a>`
  const { receipt } = visit.parameters
  const exportLink = (file: string, text: string, table?: string): string =>
    `<li><a href="${link(visit, `/api/polls/${poll.id}/export.${file}`, { table, receipt })}">${text}</a></li>`
  return `<header class="poll"><h1><bdi>${escapeHtml(poll.title)}</bdi></h1>
${stateLine(visit, view, isFrozen)}
<p class="when" id="when">${escapeHtml(words.when(status, poll.opensAtMs, poll.closesAtMs))}</p>
<div class="tools">${ballot}${pauseButton(visit)}<button type="button" id="share" hidden>${say('share')}</button>
${
  view.hiding === null
    ? `<details class="menu"><summary>${say('exports')}</summary><ul>
${exportLink('csv', say('csvResult'), 'results')}${poll.regions.length === 0 ? '' : exportLink('csv', say('csvRegions'), 'regions')}${exportLink('csv', say('csvMinutes'), 'minutes')}${exportLink('json', say('json'))}<li><button type="button" id="png" hidden>${say('png')}</button></li>
</ul></details>${announcements(visit)}`
    : ''
}</div></header>`
}

/** How much readers of screens are told; the script shows it where there will be something to tell. */
function announcements(visit: Visit): string {
  const { say } = visit.tongue
  const choices = [
    ['off', say('announceOff')],
    ['lead', say('announceLeads')],
    ['minute', say('announceMinute')],
  ] as const
  const inputs = choices.map(
    ([value, label]) =>
      `<label><input type="radio" name="announcements" value="${value}"${value === 'lead' ? ' checked' : ''}> ${label}</label>`,
  )
  return `<details class="menu" id="announcements" hidden><summary>${say('announcements')}</summary>
<fieldset class="plain"><legend>${say('announcementsHelp')}</legend>${inputs.join('')}</fieldset></details>`
}

function figures(visit: Visit, view: PollView, lastMinute: number | null): string {
  const { say, words } = visit.tongue
  const { poll } = view
  const figure = (id: string, name: string, value: string): string =>
    `<div><dt>${name}</dt><dd id="${id}">${escapeHtml(value)}</dd></div>`
  return `<dl class="figures">
${figure('voters', say('ballotsCounted'), words.number(view.voters))}
${poll.electorate === null ? '' : figure('turnout', say('turnout'), words.percent(view.voters / poll.electorate))}
${lastMinute === null ? '' : figure('rate', say('lastMinute'), words.number(lastMinute))}
${poll.revote === 'last' ? figure('changed', say('changedVotes'), words.number(view.accounting.superseded)) : ''}
${view.hiding === null ? figure('lead', say('leadNow'), words.lead(poll.options, view.totals)) : ''}
</dl>`
}

function accounting(visit: Visit, view: PollView): string {
  const { say, words } = visit.tongue
  const { poll } = view
  const numbers = Object.entries(view.accounting).map(
    ([name, count]) => [name, `<strong>${words.number(count)}</strong>`] as const,
  )
  return `<section aria-labelledby="accounting-heading"><h2 id="accounting-heading">${say('accountingHeading')}</h2>
<p id="accounting">${sayHtml(visit.tongue.texts.page.accounting as string, Object.fromEntries(numbers))}</p>
<details><summary>${say('howToRead')}</summary>
<p>${say('help1')}</p><p>${say('help2')}</p><p>${say('help3')}</p><p>${say('help4')}</p><p>${say('help5')}</p>
<p>${say('definition')}: <code dir="ltr">${escapeHtml(poll.definitionHash.slice(0, 16))}…</code></p>
<p>${say('version')} <span id="version" dir="ltr">${view.epoch}.${view.version}</span></p>
</details></section>`
}

function otherPolls(visit: Visit, view: PollView, polls: readonly PollView[]): string {
  const { say } = visit.tongue
  const others = polls.filter(({ poll }) => poll.id !== view.poll.id).slice(0, 5)
  if (others.length === 0) return ''
  const items = others.map(
    (other) =>
      `<li><a href="${link(visit, `/p/${other.poll.slug}`)}"><bdi>${escapeHtml(other.poll.title)}</bdi></a> <span class="muted">${chipText(visit, statusOf(other, visit.nowMs))} · ${say('ballots', { n: other.voters })}</span></li>`,
  )
  return `<nav aria-labelledby="others-heading"><h2 id="others-heading">${say('otherPolls')}</h2><ul>${items.join('')}</ul>
<p><a href="${link(visit, '/polls')}">${say('allPolls')}</a></p></nav>`
}

interface PageState {
  readonly lastMinute?: number | null
  readonly comparison?: Comparison | null
  readonly atMs?: number | null
}

/** What the script begins with. */
export function pollData(visit: Visit, view: PollView, state: PageState = {}): string {
  const { lastMinute = null, comparison = null, atMs = null } = state
  const { poll } = view
  const { locale, texts } = visit.tongue
  const data = {
    id: poll.id,
    options: poll.options,
    electorate: poll.electorate,
    opensAt: poll.opensAtMs,
    closesAt: poll.closesAtMs,
    now: visit.nowMs,
    epoch: view.epoch,
    version: view.version,
    voters: view.voters,
    votes: view.accounting.accepted + view.accounting.superseded,
    lastMinute,
    comparison: comparison && comparisonBody(comparison),
    at: atMs,
    hidden: view.hiding,
    receipt: visit.parameters['receipt'],
    totals: view.totals,
    asOf: view.asOfMs,
    status: statusOf(view, visit.nowMs),
    shownMax,
    png: visit.assets.get('png.js'),
    locale,
    messages: texts.live,
  }
  return `<script type="application/json" id="poll-data">${dataBlock(data)}</script>`
}
