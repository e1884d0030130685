// @ts-check
import { createChart } from './chart.js'
import { connectLive } from './live.js'
import { formatTime, whenText } from './shared.js'
import { byId, renderResult, renderTrendTable, setText } from './table.js'

const poll = JSON.parse(byId('poll-data')?.textContent ?? '{}')
const ranges = {
  '5m': { res: '1s', stepMs: 1000, lengthMs: 300_000, caption: 'Votes per second, newest first' },
  '1h': { res: '10s', stepMs: 10_000, lengthMs: 3_600_000, caption: 'Votes per 10 seconds, newest first' },
  all: { res: '1m', stepMs: 60_000, lengthMs: Infinity, caption: 'Votes per minute, newest first' },
}
const connectionText = {
  connecting: 'Connecting…',
  live: 'Live',
  polling: 'Looking every 5 seconds',
  broken: 'Connection lost: trying again',
}

/** Difference between the server's clock and this one's. */
let clockOffsetMs = poll.now - Date.now()
const serverNow = () => Date.now() + clockOffsetMs

const result = {
  voters: poll.voters,
  totals: poll.totals,
  regions: {},
  accounting: /** @type {number[] | null} */ (null),
}
let status = poll.status
let closesAt = poll.closesAt
let asOf = poll.asOf
/** Net change of each option by window start, for the range that is shown. @type {Map<number, number[]>} */
let buckets = new Map()
/** Start of the oldest window the server sent. */
let trendStart = poll.opensAt
let range = /** @type {'5m' | '1h' | 'all'} */ ('5m')
let mode = 'cumulative'
/** How many votes there were at some moments of the last minute, oldest first. @type {{ atMs: number, votes: number }[]} */
const samples = []
let isPaused = false
let connection = /** @type {keyof typeof connectionText} */ ('connecting')
let isDirty = true

const chart = createChart(/** @type {HTMLElement} */ (byId('chart')), poll.options)

const live = connectLive({
  poll: poll.id,
  res: () => ranges[range].res,
  since: () => Math.max(poll.opensAt - 60_000, serverNow() - ranges[range].lengthMs - ranges[range].stepMs),
  onState: showConnection,
  onSnapshot(frame) {
    clockOffsetMs = frame.now - Date.now()
    result.totals = Object.fromEntries(frame.o)
    take(frame)
    if (frame.trend && frame.trend.res === ranges[range].res) {
      buckets = new Map()
      trendStart = frame.trend.t0 ?? serverNow()
      const length = frame.trend.cols[0]?.length ?? 0
      for (let i = 0; i < length; i++) {
        const counts = frame.trend.cols.map((/** @type {number[]} */ column) => column[i])
        if (counts.some((/** @type {number} */ count) => count !== 0))
          buckets.set(trendStart + i * frame.trend.step, counts)
      }
      if (samples.length === 0 && range === '5m') seedSamples()
    }
  },
  onDelta(frame) {
    result.totals = { ...result.totals, ...Object.fromEntries(frame.o) }
    take(frame)
    takeBuckets(frame)
  },
  onBuckets: takeBuckets,
  onStatus(frame) {
    status = frame.status
    closesAt = frame.closes
    isDirty = true
  },
})

/** @param {any} frame */
function take(frame) {
  status = frame.status
  closesAt = frame.closes
  asOf = frame.asOf
  result.voters = frame.voters
  if (frame.regions) result.regions = frame.regions
  if (frame.acc) result.accounting = frame.acc
  setText(byId('version'), `${frame.epoch}.${frame.ver}`)
  if (samples.length > 0) samples.push({ atMs: serverNow(), votes: votesSoFar() })
  isDirty = true
}

/** @param {any} frame */
function takeBuckets(frame) {
  if (frame.res !== ranges[range].res || !frame.b) return
  for (const [start, counts] of frame.b) buckets.set(start, counts)
  isDirty = true
}

/** @param {keyof typeof connectionText} state */
function showConnection(state) {
  connection = state
  const element = byId('connection')
  if (!element) return
  element.className = `connection ${state}`
  setText(element, isPaused ? 'Paused by you' : connectionText[state])
}

function render() {
  isDirty = false
  renderResult(poll, result)
  const chip = byId('status')
  if (chip && chip.dataset.status !== status) {
    chip.dataset.status = status
    chip.className = `chip ${status}`
    setText(chip, poll.statusText[status])
  }
  setText(byId('when'), whenText(status, poll.opensAt, closesAt))
  byId('cast')?.toggleAttribute('hidden', status !== 'open')
  setText(byId('as-of'), asOf ? `${formatTime(asOf, serverNow())} UTC` : 'no ballot yet')
  renderTrend()
}

function renderTrend() {
  const { stepMs, lengthMs, caption } = ranges[range]
  const isOver = status === 'closed' || status === 'final'
  const now = isOver ? Math.min(serverNow(), Math.max(asOf ?? 0, Math.min(closesAt, serverNow()))) : serverNow()
  const last = Math.floor(now / stepMs) * stepMs
  const first = Math.max(Math.floor(trendStart / stepMs) * stepMs, lengthMs === Infinity ? 0 : last - lengthMs)
  const times = []
  const columns = poll.options.map(() => /** @type {number[]} */ ([]))
  const windows = []
  // Cumulative: the running sum ends at today's totals, so it begins at what lies before the range.
  const sums = poll.options.map((/** @type {{ id: string }} */ { id }) => result.totals[id] ?? 0)
  for (const [start, counts] of buckets) if (start >= first) counts.forEach((count, i) => (sums[i] -= count))
  for (let start = first; start <= last; start += stepMs) {
    const counts = buckets.get(start)
    times.push(start / 1000)
    for (let i = 0; i < columns.length; i++) {
      sums[i] += counts?.[i] ?? 0
      columns[i].push(mode === 'cumulative' ? sums[i] : (counts?.[i] ?? 0))
    }
    windows.push({ startMs: start, counts: counts ?? [] })
  }
  const from = lengthMs === Infinity ? first / 1000 : Math.max(first, last - lengthMs) / 1000
  chart.show([times, ...columns], from, Math.max(last / 1000, from + 60), mode === 'cumulative')
  const details = byId('trend-table')?.closest('details')
  if (details?.open) renderTrendTable(poll, windows, caption, serverNow())
  renderRate()
}

/** Votes of the last minute, from how many there were a minute ago: the trend on screen may have wider windows. */
function renderRate() {
  const nowMs = serverNow()
  while (samples.length > 1 && samples[1].atMs <= nowMs - 60_000) samples.shift()
  if (samples.length === 0) return
  const votes = samples[samples.length - 1].votes - samples[0].votes
  setText(byId('rate'), `${votes} ${votes === 1 ? 'vote' : 'votes'}`)
}

/** Ballots that counted when they came, now or a minute ago: those that count and those that were replaced since. */
function votesSoFar() {
  return result.accounting ? result.accounting[1] + result.accounting[2] : result.voters
}

/** The minute before the page was opened, from the windows of one second that it begins with. */
function seedSamples() {
  let votes = votesSoFar()
  const nowMs = serverNow()
  const seeded = [{ atMs: nowMs, votes }]
  for (let start = Math.floor(nowMs / 1000) * 1000; start > nowMs - 60_000; start -= 1000) {
    for (const count of buckets.get(start) ?? []) votes -= Math.max(count, 0)
    seeded.unshift({ atMs: start, votes })
  }
  samples.push(...seeded)
}

for (const input of document.querySelectorAll('#controls input')) {
  input.addEventListener('change', () => {
    const { name, value } = /** @type {HTMLInputElement} */ (input)
    if (name === 'mode') {
      mode = value
    } else {
      range = /** @type {'5m' | '1h' | 'all'} */ (value)
      buckets = new Map()
      live.subscribe(true)
    }
    chart.follow()
    followButton?.setAttribute('hidden', '')
    isDirty = true
  })
}

const followButton = byId('follow')
chart.onZoom(() => followButton?.removeAttribute('hidden'))
followButton?.addEventListener('click', () => {
  chart.follow()
  followButton.setAttribute('hidden', '')
  isDirty = true
})

const pauseButton = byId('pause')
pauseButton?.removeAttribute('hidden')
byId('controls')?.removeAttribute('hidden')
pauseButton?.addEventListener('click', () => {
  isPaused = !isPaused
  pauseButton.setAttribute('aria-pressed', String(isPaused))
  setText(pauseButton, isPaused ? 'Resume updates' : 'Pause updates')
  showConnection(connection)
  isDirty = true
})

// Numbers change when something came; the time axis moves on once a second while a poll is open.
let lastRenderMs = 0
function tick() {
  const isMoving = status === 'open' && Date.now() - lastRenderMs > 1000
  if (!isPaused && (isDirty || isMoving) && !document.hidden) {
    lastRenderMs = Date.now()
    render()
  }
  requestAnimationFrame(tick)
}
requestAnimationFrame(tick)
