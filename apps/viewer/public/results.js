// @ts-check
import { createChart } from './chart.js'
import { openPage } from './page.js'
import { createFindings, lineOf } from './shared.js'
import { createStepper } from './stepper.js'
import { byId, createTrendTable, renderList, setShown, setText } from './table.js'
import { createTrend, marginOf, ranges, sharesOf } from './trend.js'

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
  const endMs = isOpen ? nowMs : Math.max(page.asOf ?? poll.opensAt, poll.opensAt)
  const { starts, cumulative, changes } = trend.columns(range, page.result.totals, endMs)
  const shown = columnsOf(cumulative, changes)
  const before = picture.x.at(-1)
  picture = { x: starts.map((ms) => ms / 1000), ...shown }
  const from = picture.x[0] ?? nowMs / 1000
  chart.show({
    ...picture,
    lines: linesOf(picture.labels),
    from,
    to: Math.max(picture.x.at(-1) ?? 0, from + 60),
    isElapsed: false,
    isShare: isShare(),
    isStepped: mode === 'total',
  })
  const shift = before === undefined ? 0 : picture.x.length - 1 - picture.x.lastIndexOf(before)
  stepper.resize(picture.x.length, picture.columns.length, range === 'all' ? 0 : shift)
  table.show({
    caption: words.say(`table-${mode}`),
    head: [byId('trend-table')?.querySelector('thead th')?.textContent ?? '', ...picture.labels],
    length: picture.x.length,
    row: (index) => [timeOf(index), ...picture.columns.map((column) => valueOf(column[index] ?? null))],
  })
  renderRate(nowMs)
  if (isOpen) renderRecent(nowMs)
}

const isShare = () => mode === 'share' || mode === 'turnout'

/** @param {number[][]} cumulative @param {number[][]} changes @returns {{ columns: (number | null)[][], labels: string[] }} */
function columnsOf(cumulative, changes) {
  const labels = poll.options.map(({ label }) => label)
  if (mode === 'interval') return { columns: changes, labels }
  if (mode === 'share') return { columns: sharesOf(cumulative), labels }
  if (mode === 'margin') return { columns: [marginOf(cumulative)], labels: [words.say('margin')] }
  if (mode === 'turnout') {
    const last = cumulative.reduce((sum, column) => sum + (column.at(-1) ?? 0), 0)
    // Where a ballot may name several options, or none, votes are not voters: their ratio is that of now.
    const scale = last === 0 ? 0 : page.result.voters / last / poll.electorate
    const turnout = (cumulative[0] ?? []).map((_, i) => cumulative.reduce((sum, column) => sum + (column[i] ?? 0), 0))
    return { columns: [turnout.map((votes) => votes * scale)], labels: [words.say('turnout')] }
  }
  return { columns: cumulative, labels }
}

/** @param {string[]} labels */
const linesOf = (labels) => labels.map((label, i) => ({ label, ...lineOf(i) }))
/** @param {number | null} value */
const valueOf = (value) => (value === null ? '–' : isShare() ? words.percent(value) : words.number(value))
/** @param {number} index */
const timeOf = (index) => words.moment((picture.x[index] ?? 0) * 1000, page.now())

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
  await navigator.clipboard.writeText(location.href)
  setText(byId('announce'), words.say('copied'))
  const before = share?.textContent
  setText(share, words.say('copied'))
  setTimeout(() => setText(share, before ?? ''), 2000)
}
share?.addEventListener('click', () => void copyAddress())
