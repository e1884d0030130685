// @ts-check
import { createAnnouncer } from './announcer.js'
import { connectLive } from './live.js'
import { showThen } from './then.js'
import { createWords } from './shared.js'
import { byId, renderResult, setShown, setText } from './table.js'

/**
 * What every page with a result does: follows it, says how far it may be trusted, and stops when asked to.
 *
 * @param {{ res?: () => string, since?: (nowMs: number) => number, onFrame?: (frame: any) => void,
 *   onRender?: (page: any) => void }} hooks `res`: the windows of the trend that are wanted; none without
 */
export function openPage({ res, since, onFrame = () => {}, onRender = () => {} }) {
  const poll = JSON.parse(byId('poll-data')?.textContent ?? '{}')
  const words = createWords(poll.locale, poll.messages)
  /** Difference between the server's clock and this one's. */
  let clockOffsetMs = poll.now - Date.now()
  const now = () => Date.now() + clockOffsetMs
  const page = {
    poll,
    words,
    now,
    status: poll.status,
    asOf: poll.asOf,
    result: /** @type {import('./table.js').Result} */ ({
      voters: poll.voters,
      totals: poll.totals,
      blank: null,
      regions: {},
      accounting: null,
    }),
    /** Something has changed that is not on the screen yet. */
    isDirty: true,
    /** Asks for another trend. */
    again: () => live.subscribe(true),
  }
  let closesAt = poll.closesAt
  let isLate = false
  let isPaused = false
  let connection = 'connecting'
  let attempts = 0

  let isRevealing = false
  /** The results may be seen now: they are another page. @param {number} spreadMs */
  function reveal(spreadMs) {
    if (isRevealing) return
    isRevealing = true
    setTimeout(() => location.reload(), Math.random() * spreadMs)
  }

  const connect = poll.at === null ? connectLive : showThen
  const live = connect({
    poll: poll.id,
    receipt: poll.receipt,
    res,
    since: () => since?.(now()) ?? 0,
    onState(state, attempt) {
      connection = state
      attempts = attempt
      showState()
    },
    onFrame(frame) {
      const isRevealed = frame.reveal !== undefined || (frame.t === 'snap' && !frame.hidden)
      if (poll.hidden && isRevealed && frame.t !== 'hello') reveal(frame.reveal ?? 0)
      if (frame.now) clockOffsetMs = frame.now - Date.now()
      if (frame.status) {
        page.status = frame.status
        closesAt = frame.closes
      }
      if (frame.late !== undefined) isLate = frame.late
      if (frame.o) {
        page.asOf = frame.asOf
        page.result.totals = { ...page.result.totals, ...Object.fromEntries(frame.o) }
        page.result.voters = frame.voters
        if (frame.blank !== undefined) page.result.blank = frame.blank
        if (frame.regions) page.result.regions = frame.regions
        if (frame.acc) page.result.accounting = frame.acc
        setText(byId('version'), `${frame.epoch}.${frame.ver}`)
      }
      onFrame(frame)
      page.isDirty = true
      showState()
    },
  })

  /** In words, and never by colour alone. */
  function stateOf() {
    if (poll.at !== null) return 'frozen'
    if (isPaused) return 'paused'
    if (page.status !== 'open') return page.status
    if (connection === 'broken') return 'reconnecting'
    if (connection === 'connecting') return 'connecting'
    return isLate ? 'delayed' : connection
  }
  let saidState = page.status
  function showState() {
    const state = stateOf()
    const chip = byId('status')
    if (!chip) return
    chip.dataset.state = state
    setText(chip, words.say(`chip${capital(state)}`, { n: attempts }))
    if (isPaused) return
    if (state !== 'frozen')
      setText(byId('note'), words.say(state === 'delayed' ? 'noteDelayed' : `note${capital(page.status)}`))
    if (page.status !== saidState) {
      saidState = page.status
      announcer.say(words.say('announceStatus', { status: words.say(`chip${capital(page.status)}`) }))
    }
  }

  const announcer = createAnnouncer(words, poll.at === null && (poll.status === 'open' || poll.status === 'scheduled'))
  function leaderOf() {
    const [first, second] = poll.options
      .map(({ id, label }) => ({ label, votes: page.result.totals[id] ?? 0 }))
      .sort((a, b) => b.votes - a.votes)
    return first && first.votes > (second?.votes ?? 0) ? first.label : null
  }

  function render() {
    const { status, asOf, result } = page
    const nowMs = now()
    renderResult(poll, result, words)
    setShown(byId('as-of-line'), asOf !== null)
    setShown(byId('no-ballot'), asOf === null)
    if (asOf !== null) setText(byId('as-of'), words.moment(asOf, nowMs))
    setText(byId('when'), words.when(status, poll.opensAt, closesAt))
    setShown(byId('cast'), status === 'open')
    announcer.lead(leaderOf())
    announcer.state(stateOf(), byId('status')?.textContent ?? '')
    announcer.summary(() =>
      words.say('announceSummary', { n: result.voters, lead: words.lead(poll.options, result.totals) }),
    )
    onRender(page)
  }

  const pauseButton = byId('pause')
  setShown(pauseButton, poll.at === null && (poll.status === 'open' || poll.status === 'scheduled'))
  pauseButton?.addEventListener('click', () => {
    isPaused = !isPaused
    pauseButton.setAttribute('aria-pressed', String(isPaused))
    setText(pauseButton, words.say(isPaused ? 'resume' : 'pause'))
    page.isDirty = true
    showState()
  })

  // Numbers change when something came; the time axis and the age of the numbers move on once a second.
  let renderedMs = 0
  function tick() {
    const isMoving = page.status === 'open' && Date.now() - renderedMs > 1000
    if (!isPaused && (page.isDirty || isMoving) && !document.hidden) {
      renderedMs = Date.now()
      page.isDirty = false
      render()
    }
    if (page.status === 'open' && page.asOf !== null && !document.hidden) {
      setText(byId('age'), `(${words.ago(now() - page.asOf)})`)
    } else setText(byId('age'), '')
    requestAnimationFrame(tick)
  }
  showState()
  requestAnimationFrame(tick)
  return page
}

/** @param {string} text */
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1)
