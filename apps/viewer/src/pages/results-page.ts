import { formatTime, lineOf, whenText } from '../../public/shared.js'
import { type PollStatus, type PollView, statusOf } from '../poll-view.ts'
import type { TrendColumns } from '../trend-columns.ts'
import { dataBlock, escapeHtml } from './html.ts'

export interface ResultsPageOptions {
  readonly view: PollView
  readonly nowMs: number
  readonly trend: TrendColumns
  readonly assets: ReadonlyMap<string, string>
  readonly ballotUrl: string | null
  readonly polls: readonly PollView[]
}

const number = new Intl.NumberFormat('en')
const percent = new Intl.NumberFormat('en', { style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 })

const statusText: { readonly [status in PollStatus]: string } = {
  scheduled: 'Not open yet',
  open: 'Open: unofficial, still counting',
  closed: 'Closed: last ballots are being counted',
  final: 'Final: every ballot is counted',
}

/**
 * The results of a poll, whole and readable before any script runs; the script then keeps it current. Bars are SVG
 * rectangles, because the page's policy allows no inline styles.
 */
export function resultsPage({ view, nowMs, trend, assets, ballotUrl, polls }: ResultsPageOptions): string {
  const { poll } = view
  const status = statusOf(view, nowMs)
  // There also while the poll is not open: the script shows it when it opens, and hides it at the close.
  const ballot =
    ballotUrl === null
      ? ''
      : `<a class="button" id="cast" href="${escapeHtml(`${ballotUrl}/p/${poll.slug}`)}"${status === 'open' ? '' : ' hidden'}>Cast a ballot</a>`
  return document(
    `${poll.title} · results`,
    assets,
    `<main id="main">
<header class="poll">
  <h1>${escapeHtml(poll.title)}</h1>
  <p class="state">
    <span id="status" class="chip ${status}" data-status="${status}">${statusText[status]}</span>
    <span>Counted up to <time id="as-of">${view.asOfMs === null ? 'no ballot yet' : `${formatTime(view.asOfMs, nowMs)} UTC`}</time></span>
    <span id="connection" class="connection" role="status">Not live: this page needs its script to update itself</span>
    <button type="button" id="pause" aria-pressed="false" hidden>Pause updates</button>
  </p>
  <p class="when"><span id="when">${whenText(status, poll.opensAtMs, poll.closesAtMs)}</span> ${ballot}</p>
</header>

<dl class="figures">
  <div><dt>Ballots counted</dt><dd id="voters">${number.format(view.voters)}</dd></div>
  <div><dt>${poll.electorate === null ? 'Last minute' : 'Turnout'}</dt><dd id="${poll.electorate === null ? 'rate' : 'turnout'}">${
    poll.electorate === null ? '–' : percent.format(view.voters / poll.electorate)
  }</dd></div>
  <div><dt>Lead</dt><dd id="lead">${leadText(view)}</dd></div>
</dl>

<section aria-labelledby="result-heading">
  <h2 id="result-heading">Result</h2>
  <table class="results" id="results">
    <thead><tr><th scope="col">Option</th><th scope="col" class="bar-column"><span class="hidden">Bar</span></th><th scope="col" class="n">Votes</th><th scope="col" class="n">Share</th></tr></thead>
    <tbody>${poll.options.map((option, i) => resultRow(option, i, view)).join('')}</tbody>
  </table>
</section>

<section aria-labelledby="trend-heading">
  <h2 id="trend-heading">Over time</h2>
  <div class="controls" id="controls" hidden>
    ${choice(
      'mode',
      'Show',
      [
        ['cumulative', 'Total votes'],
        ['interval', 'Votes per interval'],
      ],
      'cumulative',
    )}
    ${choice(
      'range',
      'Range',
      [
        ['5m', '5 min'],
        ['1h', '1 hour'],
        ['all', 'All'],
      ],
      '5m',
    )}
    <button type="button" id="follow" hidden>Back to live</button>
  </div>
  <figure aria-describedby="trend-summary">
    <div id="chart"></div>
    <ul class="legend" aria-hidden="true">${poll.options.map(({ label }, i) => `<li>${optionName(label, i)}</li>`).join('')}</ul>
    <figcaption id="trend-summary">Times are UTC. The same numbers stand in the table below the chart.</figcaption>
  </figure>
  <details><summary>Trend as a table</summary>
    <div class="scroll"><table id="trend-table">${trendTable(view, trend, nowMs)}</table></div>
  </details>
</section>

${regionSection(view)}

<section aria-labelledby="accounting-heading">
  <h2 id="accounting-heading">Every ballot accounted for</h2>
  <p id="accounting">${accountingText(view)}</p>
  <details><summary>How to read this page</summary>
    <p><strong>Recorded</strong> means that a ballot is safely in the log. <strong>Counted</strong> means that the result on this page includes it; that takes a moment.</p>
    <p><strong>Superseded</strong> ballots were replaced by a later one of the same voter, where the poll allows it. <strong>Rejected</strong> ballots came after the close, or from somebody who had voted. <strong>Duplicates</strong> are repeats of the same ballot and change nothing.</p>
    <p>The result is <strong>final</strong> when the poll is closed and every part of the log has been counted to its end. Definition of this poll: <code>${escapeHtml(poll.definitionHash.slice(0, 16))}…</code></p>
    <p>Version <span id="version">${view.epoch}.${view.version}</span> · <a href="/api/polls/${encodeURIComponent(poll.id)}/results">result as JSON</a></p>
  </details>
</section>
${otherPolls(poll.id, polls, nowMs)}
</main>
<script type="application/json" id="poll-data">${dataBlock({
      id: poll.id,
      options: poll.options,
      regions: poll.regions,
      electorate: poll.electorate,
      opensAt: poll.opensAtMs,
      closesAt: poll.closesAtMs,
      now: nowMs,
      epoch: view.epoch,
      version: view.version,
      voters: view.voters,
      totals: view.totals,
      asOf: view.asOfMs,
      status,
      statusText,
    })}</script>
<script type="module" src="${assets.get('results.js')}"></script>`,
  )
}

export interface MessagePageOptions {
  readonly title: string
  readonly text: string
  readonly assets: ReadonlyMap<string, string>
  /** The page asks for itself again after this time. */
  readonly refreshSeconds?: number
}

/** A page that is no result: what is wrong, and where to go. */
export function messagePage({ title, text, assets, refreshSeconds }: MessagePageOptions): string {
  const refresh = refreshSeconds === undefined ? '' : `<meta http-equiv="refresh" content="${refreshSeconds}">`
  return document(
    title,
    assets,
    `<main id="main"><h1>${escapeHtml(title)}</h1><p>${escapeHtml(text)}</p><p><a href="/">Go to the current poll</a></p></main>`,
    refresh,
  )
}

const withoutScript = '<noscript><meta http-equiv="refresh" content="5"></noscript>'

function document(title: string, assets: ReadonlyMap<string, string>, body: string, refresh = withoutScript): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
${refresh}
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${assets.get('uplot.css')}"><link rel="stylesheet" href="${assets.get('results.css')}">
</head><body><a class="skip" href="#main">Skip to the results</a>
${body}
</body></html>`
}

/** An option, and how it is drawn in the chart: where colours repeat, the dashes differ. */
function optionName(label: string, index: number): string {
  const { colour, dash } = lineOf(index)
  const dashes = dash.length === 0 ? '' : ` stroke-dasharray="${dash.join(' ')}"`
  const line = `<line class="c${colour}" x1="0" y1="6" x2="30" y2="6"${dashes}/>`
  return `<span class="name"><svg class="key" width="30" height="12" aria-hidden="true">${line}</svg><span>${escapeHtml(label)}</span></span>`
}

function resultRow({ id, label }: { id: string; label: string }, index: number, view: PollView): string {
  const votes = view.totals[id] ?? 0
  const share = view.voters === 0 ? 0 : votes / view.voters
  const width = `${(share * 100).toFixed(2)}%`
  return `<tr data-option="${escapeHtml(id)}"><th scope="row">${optionName(label, index)}</th>
<td class="bar-column"><svg class="bar" aria-hidden="true"><rect class="c${lineOf(index).colour}" width="${width}" height="100%"/></svg></td>
<td class="n" data-cell="votes">${number.format(votes)}</td><td class="n" data-cell="share">${percent.format(share)}</td></tr>`
}

function leadText(view: PollView): string {
  const ranked = view.poll.options
    .map(({ id, label }) => ({ label, votes: view.totals[id] ?? 0 }))
    .sort((a, b) => b.votes - a.votes)
  const [first, second] = ranked
  if (!first || !second || first.votes === 0) return '–'
  if (first.votes === second.votes) return 'Tied'
  return `${escapeHtml(first.label)}, by ${number.format(first.votes - second.votes)}`
}

function accountingText({ accounting }: PollView): string {
  const { recorded, accepted, superseded, rejected, duplicates } = accounting
  const n = (count: number): string => `<strong>${number.format(count)}</strong>`
  return `${n(recorded)} recorded = ${n(accepted)} counting now + ${n(superseded)} superseded + ${n(rejected)} rejected + ${n(duplicates)} duplicates`
}

function choice(name: string, legend: string, options: readonly (readonly [string, string])[], chosen: string): string {
  const inputs = options.map(
    ([value, label]) =>
      `<label><input type="radio" name="${name}" value="${value}"${value === chosen ? ' checked' : ''}><span>${label}</span></label>`,
  )
  return `<fieldset><legend>${legend}</legend>${inputs.join('')}</fieldset>`
}

function trendTable(view: PollView, trend: TrendColumns, nowMs: number): string {
  const head = `<thead><tr><th scope="col">Time (UTC)</th>${view.poll.options.map(({ label }) => `<th scope="col" class="n">${escapeHtml(label)}</th>`).join('')}</tr></thead>`
  const rows: string[] = []
  for (let i = trend.startMs.length - 1; i >= 0 && rows.length < 25; i--) {
    const cells = view.poll.options.map(({ id }) => `<td class="n">${number.format(trend.counts[id]?.[i] ?? 0)}</td>`)
    rows.push(`<tr><th scope="row">${formatTime(trend.startMs[i]!, nowMs)}</th>${cells.join('')}</tr>`)
  }
  return `<caption>Votes per minute, newest first</caption>${head}<tbody>${rows.join('')}</tbody>`
}

function regionSection(view: PollView): string {
  const { poll, regions } = view
  if (poll.regions.length === 0) return ''
  const head = poll.options.map(({ label }) => `<th scope="col" class="n">${escapeHtml(label)}</th>`).join('')
  const rows = poll.regions.map((region) => {
    const counts = regions[region] ?? {}
    const cells = poll.options.map(
      ({ id }) => `<td class="n" data-cell="${escapeHtml(id)}">${number.format(counts[id] ?? 0)}</td>`,
    )
    return `<tr data-region="${escapeHtml(region)}"><th scope="row">${escapeHtml(region)}</th>${cells.join('')}</tr>`
  })
  return `<section aria-labelledby="region-heading"><h2 id="region-heading">By region</h2>
<div class="scroll" tabindex="0" role="region" aria-labelledby="region-heading"><table id="regions"><thead><tr><th scope="col">Region</th>${head}</tr></thead><tbody>${rows.join('')}</tbody></table></div></section>`
}

function otherPolls(id: string, polls: readonly PollView[], nowMs: number): string {
  const others = polls.filter(({ poll }) => poll.id !== id).slice(0, 10)
  if (others.length === 0) return ''
  const items = others.map(
    (view) =>
      `<li><a href="/p/${encodeURIComponent(view.poll.slug)}">${escapeHtml(view.poll.title)}</a> <span class="muted">${statusText[statusOf(view, nowMs)].split(':')[0]}, ${number.format(view.voters)} ${view.voters === 1 ? 'ballot' : 'ballots'}</span></li>`,
  )
  return `<nav aria-labelledby="others-heading"><h2 id="others-heading">Other polls</h2><ul>${items.join('')}</ul></nav>`
}
