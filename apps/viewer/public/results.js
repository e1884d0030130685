// @ts-check
import { createChart } from './chart.js'
import { columnsOfLines, createLines } from './lines.js'
import { openPage } from './page.js'
import { createFindings, lineOf, othersLine } from './shared.js'
import { createStepper } from './stepper.js'
import { byId, createTrendTable, renderList, setShown, setText } from './table.js'
import { changesOf, createTrend, marginOf, minuteMs, ranges, sharesOf } from './trend.js'
import { noteView } from './view.js'

const recentMs = 300_000

/** @param {string} name */
const chosen = (name) => document.querySelector(`#controls input[name=${name}]:checked`)?.getAttribute('value')

let range = /** @type {import('./trend.js').Range} */ (chosen('range') ?? '5m')
let mode = chosen('mode') ?? 'total'
/**
 * What the chart shows, for the stepper; `rates` is what the strip below it shows, and `all` has every option, for the table.
 *
 * @typedef {(number | null)[][]} Columns @typedef {{ columns: Columns, labels: string[] }} Named
 * @type {{ x: number[], lines: import('./chart.js').Line[], columns: Columns, rates: Columns, all: Named }}
 */
let picture = { x: [], lines: [], columns: [], rates: [], all: { columns: [], labels: [] } }

const page = openPage({
  res: () => ranges[range].res,
  // The first of the votes per minute has a minute before it.
  since: (nowMs) => Math.max(0, nowMs - ranges[range].lengthMs - ranges[range].stepMs - minuteMs),
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
const chart = createChart(
  /** @type {HTMLElement} */ (byId('chart')),
  /** @type {HTMLElement} */ (byId('strip')),
  words,
  {
    onZoom: () => setShown(followButton, true),
    onPoint: (index) => stepper.hover(index),
  },
)
const table = createTrendTable(words)
const lines = createLines(poll.options, words, { onChange: () => show() })
/** As they were drawn last. */
let drawn = lines.split(page.result.totals)
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
  drawn = lines.split(page.result.totals)
  if (comparison) showComparison()
  else showTrend(endMs)
  const shift = before === undefined ? 0 : picture.x.length - 1 - picture.x.lastIndexOf(before)
  stepper.resize(picture.x.length, picture.columns.length, range === 'all' ? 0 : shift)
  table.show({
    caption: words.say(comparison ? 'table-compare' : `table-${mode}`),
    head: [timeHead, ...picture.all.labels, ...rateLabels()],
    length: picture.x.length,
    row: (index) => [
      timeOf(index),
      ...picture.all.columns.map((column) => valueOf(column[index] ?? null)),
      ...picture.rates.map((column) => numberOf(column[index] ?? null)),
    ],
  })
  // One line of its own needs no key.
  lines.showKey(drawn, !isAlone() && !chart.isLabelled())
  setShown(byId('lines'), !isAlone())
  renderRate(nowMs)
  if (isOpen && !comparison) renderRecent(nowMs)
}

/** @param {number} endMs */
function showTrend(endMs) {
  const { starts, cumulative, changes, rate } = trend.columns(range, page.result.totals, endMs)
  const labels = poll.options.map((/** @type {{ label: string }} */ { label }) => label)
  const all = columnsOf(cumulative, changes, labels, page.result.voters, poll)
  picture = { x: starts.map((ms) => ms / 1000), ...drawnOf(all, drawn, lineOf), rates: [rate], all }
  const from = picture.x[0] ?? endMs / 1000
  chart.show({
    ...picture,
    from,
    to: Math.max(picture.x.at(-1) ?? 0, from + 60),
    isElapsed: false,
    isShare: isShare(),
    isStepped: mode === 'total',
  })
}

/** Both polls on the axis of the time since their opening; the newest of this one is what the page shows. */
function showComparison() {
  const { elapsedSeconds, runs, stepSeconds } = comparison
  const made = /** @type {typeof picture} */ ({
    x: [],
    lines: [],
    columns: [],
    rates: [],
    all: { columns: [], labels: [] },
  })
  for (const [index, run] of runs.entries()) {
    const isOwn = index === 0
    const last = run.voters.findLastIndex((/** @type {number | null} */ voters) => voters !== null)
    const cumulative = run.options.map(({ id }) =>
      run.totals[id].map((count, i) => (isOwn && i === last ? (page.result.totals[id] ?? 0) : count)),
    )
    const voters = isOwn ? page.result.voters : (run.voters[last] ?? 0)
    const labels = run.options.map(({ label }) => label)
    const all = columnsOf(cumulative, cumulative.map(changesOf), labels, voters, run)
    // The same option has the same colour in both, as far as there is one; and is drawn in both, or in none.
    const sameAs = run.options.map(({ id }) => poll.options.findIndex((/** @type {any} */ option) => option.id === id))
    const of = (/** @type {string} */ option) => (isOwn ? option : words.say('compared', { option, poll: run.title }))
    const named = { ...all, labels: all.labels.map(of) }
    const split = isOwn ? drawn : splitLike(sameAs)
    const shown = drawnOf(named, split, (i) => lineOf(isAlone() || (sameAs[i] ?? -1) < 0 ? i : (sameAs[i] ?? i)))
    made.lines.push(...shown.lines.map((line) => (isOwn ? line : { ...line, isThin: true })))
    made.columns.push(...shown.columns)
    made.all.columns.push(...named.columns)
    made.all.labels.push(...named.labels)
    const perMinute = changesOf(run.voters).map((count) => count && Math.round((count * 60) / stepSeconds))
    // What has only begun has no rate yet.
    made.rates.push(isOwn && page.status === 'open' ? perMinute.with(last, null) : perMinute)
  }
  const to = Math.min(elapsedSeconds.at(-1) ?? 60, range === 'all' ? Infinity : ranges[range].lengthMs / 1000)
  const length = elapsedSeconds.filter((/** @type {number} */ seconds) => seconds <= to).length
  const cut = (/** @type {Columns} */ columns) => columns.map((column) => column.slice(0, length))
  picture = {
    x: elapsedSeconds.slice(0, length),
    lines: made.lines,
    columns: cut(made.columns),
    rates: cut(made.rates),
    all: { ...made.all, columns: cut(made.all.columns) },
  }
  chart.show({ ...picture, from: 0, to, isElapsed: true, isShare: isShare(), isStepped: false })
}

/**
 * The lines of all there is to show.
 *
 * @param {Named} all @param {{ own: number[], rest: number[] }} split
 * @param {(index: number) => { colour: number, dash: readonly number[] }} look
 */
function drawnOf(all, split, look) {
  if (isAlone()) return { columns: all.columns, lines: all.labels.map((label, i) => ({ label, ...look(i) })) }
  const own = split.own.map((i) => ({ label: all.labels[i] ?? '', ...look(i) }))
  const others = { label: words.say('others', { n: split.rest.length }), ...othersLine }
  return { columns: columnsOfLines(all.columns, split), lines: split.rest.length === 0 ? own : [...own, others] }
}

/** Of another poll the same options; those that this one does not have go with the rest. @param {number[]} sameAs */
function splitLike(sameAs) {
  const all = sameAs.map((_, i) => i)
  const own = all.filter((i) => drawn.own.includes(sameAs[i] ?? -1) || (lines.opts === null && sameAs[i] === -1))
  return { own, rest: drawn.rest.length === 0 ? [] : all.filter((i) => !own.includes(i)) }
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
const numberOf = (value) => (value === null ? '–' : words.number(value))
/** @param {number | null} value */
const valueOf = (value) => (value !== null && isShare() ? words.percent(value) : numberOf(value))
/** @returns {string[]} */
const rateLabels = () =>
  picture.rates.map((_, i) =>
    i === 0 ? words.say('rate') : words.say('compared', { option: words.say('rate'), poll: comparison.runs[i].title }),
  )
/** @param {number} index */
const timeOf = (index) => {
  const ms = (picture.x[index] ?? 0) * 1000
  return comparison ? words.elapsed(ms) : words.moment(ms, page.now())
}

/** @param {number} index @param {number | null} line */
function readout(index, line) {
  const values = picture.lines
    .map(({ label }, i) => ({ option: label, value: valueOf(picture.columns[i]?.[index] ?? null) }))
    .filter((_, i) => line === null || i === line)
  if (line === null) {
    const all = rateLabels()
    values.push(...all.map((option, i) => ({ option, value: numberOf(picture.rates[i]?.[index] ?? null) })))
  }
  const said = values.map((value) => words.say('readoutValue', value))
  return words.say('readout', { time: timeOf(index), values: said.join(', ') })
}

/** Ballots of the last minute, from how many there were a minute ago: the trend on screen may have wider windows. @param {number} nowMs */
function renderRate(nowMs) {
  while (samples.length > 1 && (samples[1]?.atMs ?? 0) <= nowMs - minuteMs) samples.shift()
  const [first, last] = [samples[0], samples.at(-1)]
  if (first && last) setText(byId('rate'), words.number(last.votes - first.votes))
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
  // Who takes no picture does not load what draws it.
  const { imageOf, save } = /** @type {typeof import('./png.js')} */ (await import(poll.png))
  const said = (/** @type {string[]} */ ...ids) =>
    ids.map((id) => (byId(id)?.hidden ? '' : (byId(id)?.textContent ?? ''))).join(' · ')
  const key = picture.lines
    .filter(({ isThin }) => !isThin)
    .map(({ label, colour, dash }) => ({ label, color: chart.color(`--c${colour}`), dash }))
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

/** Something else is to be shown than before. */
function show() {
  noteView({ mode, range, opts: lines.opts })
  backToLive()
}

setShown(byId('controls'), true)
setShown(byId('strip-name'), true)
for (const input of document.querySelectorAll('#controls input[type=radio]')) {
  input.addEventListener('change', () => {
    const { name, value } = /** @type {HTMLInputElement} */ (input)
    if (name === 'mode') mode = value
    else if (comparison) range = /** @type {import('./trend.js').Range} */ (value)
    else {
      range = /** @type {import('./trend.js').Range} */ (value)
      trend.clear()
      page.again()
    }
    show()
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
