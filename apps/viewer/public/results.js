// @ts-check
import { createChart } from './chart.js'
import { openPage } from './page.js'
import { imageOf, save } from './png.js'
import { createFindings, lineOf } from './shared.js'
import { createStepper } from './stepper.js'
import { byId, createTrendTable, renderList, setShown, setText } from './table.js'
import { changesOf, createTrend, marginOf, ranges, sharesOf } from './trend.js'

const minuteMs = 60_000
const recentMs = 300_000

/** @param {string} name */
const chosen = (name) => document.querySelector(`#controls input[name=${name}]:checked`)?.getAttribute('value')

let range = /** @type {import('./trend.js').Range} */ (chosen('range') ?? '5m')
let mode = chosen('mode') ?? 'total'
/** What the chart shows: for the table and the stepper. @type {{ x: number[], columns: (number | null)[][], labels: string[] }} */
let picture = { x: [], columns: [], labels: [] }

const page = openPage({
  res: () => ranges[range].res,
  since: (nowMs) => nowMs - Math.min(ranges[range].lengthMs, nowMs) - ranges[range].stepMs,
  onFrame(frame) {
    if (frame.t === 'snap' && frame.trend?.res === ranges[range].res) trend.take(frame.trend, page.now())
    else if (frame.b && frame.res === ranges[range].res) trend.add(frame.b)
    if (frame.acc) noteVotes()
    if (frame.t === 'a') renderFindings(frame)
    if (frame.rej) renderRejections(frame.rej)
  },
  onRender: render,
})
const { poll, words } = page
/** Ballots so far at some moments of the last minute, oldest first. @type {{ atMs: number, votes: number }[]} */
const samples = poll.lastMinute === null ? [] : [{ atMs: poll.now, votes: poll.votes - poll.lastMinute }]
/** With another poll, as the server sends it: this one first. @type {any} */
let { comparison } = poll
const timeHead = comparison
  ? words.say('sinceOpening')
  : (byId('trend-table')?.querySelector('thead th')?.textContent ?? '')
const trend = createTrend(poll)
const chart = createChart(/** @type {HTMLElement} */ (byId('chart')), words, {
  onZoom: () => setShown(followButton, true),
  onPoint: (index) => stepper.hover(index),
})
const table = createTrendTable(words)
const stepper = createStepper({ point: chart.point, goTo: (index) => table.goTo(index), backToLive, say: readout })
const followButton = byId('follow')

/** Ballots that counted when they came: those that count, and those that were replaced since. */
function noteVotes() {
  const { accounting } = page.result
  if (!accounting) return
  const votes = (accounting[1] ?? 0) + (accounting[2] ?? 0)
  const nowMs = page.now()
  samples.push({ atMs: nowMs, votes })
}

function render() {
  const nowMs = page.now()
  const isOpen = page.status === 'open'
  const endMs = isOpen && poll.at === null ? nowMs : Math.max(page.asOf ?? poll.opensAt, poll.opensAt)
  const before = picture.x.at(-1)
  if (comparison) showComparison()
  else showTrend(endMs)
  const shift = before === undefined ? 0 : picture.x.length - 1 - picture.x.lastIndexOf(before)
  stepper.resize(picture.x.length, picture.columns.length, range === 'all' ? 0 : shift)
  table.show({
    caption: words.say(comparison ? 'table-compare' : `table-${mode}`),
    head: [timeHead, ...picture.labels],
    length: picture.x.length,
    row: (index) => [timeOf(index), ...picture.columns.map((column) => valueOf(column[index] ?? null))],
  })
  // One line of its own needs no key.
  setShown(byId('legend'), !isAlone() && !chart.isLabelled())
  renderRate(nowMs)
  if (isOpen && !comparison) renderRecent(nowMs)
}

/** @param {number} endMs */
function showTrend(endMs) {
  const { starts, cumulative, changes } = trend.columns(range, page.result.totals, endMs)
  const labels = poll.options.map((/** @type {{ label: string }} */ { label }) => label)
  picture = { x: starts.map((ms) => ms / 1000), ...columnsOf(cumulative, changes, labels, page.result.voters, poll) }
  const from = picture.x[0] ?? endMs / 1000
  chart.show({
    ...picture,
    lines: picture.labels.map((label, i) => ({ label, ...lineOf(i) })),
    from,
    to: Math.max(picture.x.at(-1) ?? 0, from + 60),
    isElapsed: false,
    isShare: isShare(),
    isStepped: mode === 'total',
  })
}

/** Both polls on the axis of the time since their opening; the newest of this one is what the page shows. */
function showComparison() {
  const { elapsedSeconds, runs } = comparison
  /** @type {(number | null)[][]} */
  const columns = []
  /** @type {import('./chart.js').Line[]} */
  const lines = []
  for (const [index, run] of runs.entries()) {
    const isOwn = index === 0
    const last = run.voters.findLastIndex((/** @type {number | null} */ voters) => voters !== null)
    const cumulative = run.options.map(({ id }) =>
      run.totals[id].map((count, i) => (isOwn && i === last ? (page.result.totals[id] ?? 0) : count)),
    )
    const voters = isOwn ? page.result.voters : (run.voters[last] ?? 0)
    const labels = run.options.map(({ label }) => label)
    const shown = columnsOf(cumulative, cumulative.map(changesOf), labels, voters, run)
    columns.push(...shown.columns)
    for (const [i, label] of shown.labels.entries()) {
      // The same option has the same colour in both, as far as there is one.
      const same = poll.options.findIndex((option) => option.id === run.options[i]?.id)
      const line = lineOf(shown.labels.length === 1 || same < 0 ? i : same)
      const of = words.say('compared', { option: label, poll: run.title })
      lines.push(isOwn ? { label, ...line } : { label: of, ...line, isThin: true })
    }
  }
  const to = Math.min(elapsedSeconds.at(-1) ?? 60, range === 'all' ? Infinity : ranges[range].lengthMs / 1000)
  const length = elapsedSeconds.filter((/** @type {number} */ seconds) => seconds <= to).length
  picture = {
    x: elapsedSeconds.slice(0, length),
    columns: columns.map((column) => column.slice(0, length)),
    labels: lines.map(({ label }) => label),
  }
  chart.show({ ...picture, lines, from: 0, to, isElapsed: true, isShare: isShare(), isStepped: false })
}

const isAlone = () => mode === 'margin' || mode === 'turnout'
const isShare = () => mode === 'share' || mode === 'turnout'

/**
 * What the chart shows of the running sums and of the changes in them.
 *
 * @param {(number | null)[][]} cumulative @param {(number | null)[][]} changes @param {string[]} labels
 * @param {number} voters @param {{ electorate: number | null }} of
 * @returns {{ columns: (number | null)[][], labels: string[] }}
 */
function columnsOf(cumulative, changes, labels, voters, { electorate }) {
  if (mode === 'interval') return { columns: changes, labels }
  if (mode === 'share') return { columns: sharesOf(cumulative), labels }
  if (mode === 'margin') return { columns: [marginOf(cumulative)], labels: [words.say('margin')] }
  if (mode === 'turnout') {
    const votes = (cumulative[0] ?? []).map((first, i) =>
      first === null ? null : cumulative.reduce((sum, column) => sum + (column[i] ?? 0), 0),
    )
    const all = Math.max(...votes.map((count) => count ?? 0))
    // Where a ballot may name several options, or none, votes are not voters: their ratio is that of now.
    const scale = all === 0 || !electorate ? 0 : voters / all / electorate
    return { columns: [votes.map((count) => (count === null ? null : count * scale))], labels: [words.say('turnout')] }
  }
  return { columns: cumulative, labels }
}

/** @param {number | null} value */
const valueOf = (value) => (value === null ? '–' : isShare() ? words.percent(value) : words.number(value))
/** @param {number} index */
const timeOf = (index) => {
  const ms = (picture.x[index] ?? 0) * 1000
  return comparison ? words.elapsed(ms) : words.moment(ms, page.now())
}

/** @param {number} index @param {number | null} line */
function readout(index, line) {
  const values = picture.labels
    .map((option, i) => words.say('readoutValue', { option, value: valueOf(picture.columns[i]?.[index] ?? null) }))
    .filter((_, i) => line === null || i === line)
  return words.say('readout', { time: timeOf(index), values: values.join(', ') })
}

/** Ballots of the last minute, from how many there were a minute ago: the trend on screen may have wider windows. @param {number} nowMs */
function renderRate(nowMs) {
  while (samples.length > 1 && (samples[1]?.atMs ?? 0) <= nowMs - minuteMs) samples.shift()
  const [first, last] = [samples[0], samples.at(-1)]
  if (first && last) setText(byId('rate'), words.say('votes', { n: last.votes - first.votes }))
}

/** @param {number} nowMs */
function renderRecent(nowMs) {
  trend.since(nowMs - recentMs).forEach((change, i) => {
    const row = document.querySelector(`#results tr[data-option="${CSS.escape(poll.options[i].id)}"]`)
    setText(row?.querySelector('[data-cell=recent]') ?? null, words.signed(change))
  })
}

/** @param {any} frame */
function renderFindings({ leads, flows, bursts }) {
  const findings = createFindings(words, poll.options, page.now())
  renderList(
    'leads',
    leads
      .slice(-poll.shownMax)
      .reverse()
      .map((lead) => findings.lead(lead)),
  )
  renderList(
    'flows',
    flows.slice(0, poll.shownMax).map((flow) => findings.flow(flow)),
  )
  renderList(
    'bursts',
    bursts
      .slice(-poll.shownMax)
      .reverse()
      .map((burst) => findings.burst(burst)),
  )
}

/** @param {Record<string, number>} rejections */
function renderRejections(rejections) {
  const findings = createFindings(words, poll.options, page.now())
  renderList(
    'rejections',
    Object.entries(rejections).map((rejection) => findings.rejection(rejection)),
  )
}

function backToLive() {
  chart.follow()
  setShown(followButton, false)
  page.isDirty = true
}
followButton?.addEventListener('click', backToLive)

async function compareAgain() {
  const path = `/api/polls/${poll.id}/compare?with=${comparison.runs[1].poll}`
  const receipt = poll.receipt ? `&receipt=${encodeURIComponent(poll.receipt)}` : ''
  // Without an answer the curve stays as it is, and the next minute asks again.
  const response = await fetch(`${path}${receipt}`).catch(() => null)
  if (response?.ok) comparison = await response.json()
}
// Its minutes go on; what is between them is on the page already.
if (comparison) {
  setInterval(() => void (page.status === 'open' && !document.hidden && compareAgain()), minuteMs)
}

/** The chart, with what the page says around it. */
async function saveImage() {
  const canvas = byId('chart')?.querySelector('canvas')
  if (!canvas) return
  const said = (/** @type {string[]} */ ...ids) =>
    ids.map((id) => (byId(id)?.hidden ? '' : (byId(id)?.textContent ?? ''))).join(' · ')
  const key = poll.options.map((/** @type {{ label: string }} */ { label }, /** @type {number} */ i) => {
    const { colour, dash } = lineOf(i)
    return { label, color: chart.color(`--c${colour}`), dash }
  })
  const blob = await imageOf(canvas, {
    title: document.querySelector('h1')?.textContent ?? '',
    notes: [said('status', 'note'), said(page.asOf === null ? 'no-ballot' : 'as-of-line'), said('when')],
    source: location.origin + location.pathname,
    isRightToLeft: document.documentElement.dir === 'rtl',
    color: chart.color,
    key: isAlone() || chart.isLabelled() ? [] : key,
  })
  if (blob) save(blob, `${location.pathname.split('/').pop() || 'results'}.png`)
}
setShown(byId('png'), true)
byId('png')?.addEventListener('click', () => void saveImage())

/** The address names the view, so that it can be handed on. */
function noteView() {
  const url = new URL(location.href)
  url.searchParams.set('mode', mode)
  url.searchParams.set('range', range)
  history.replaceState(null, '', url)
}

setShown(byId('controls'), true)
for (const input of document.querySelectorAll('#controls input')) {
  input.addEventListener('change', () => {
    const { name, value } = /** @type {HTMLInputElement} */ (input)
    if (name === 'mode') mode = value
    else if (comparison) range = /** @type {import('./trend.js').Range} */ (value)
    else {
      range = /** @type {import('./trend.js').Range} */ (value)
      trend.clear()
      page.again()
    }
    noteView()
    backToLive()
  })
}

const share = byId('share')
// Only where the page is served over TLS, or from this machine, may a script write there.
setShown(share, 'clipboard' in navigator)
async function copyAddress() {
  const url = new URL(location.href)
  // A receipt is its voter's.
  url.searchParams.delete('receipt')
  await navigator.clipboard.writeText(url.href)
  setText(byId('announce'), words.say('copied'))
  const before = share?.textContent
  setText(share, words.say('copied'))
  setTimeout(() => setText(share, before ?? ''), 2000)
}
share?.addEventListener('click', () => void copyAddress())
