// @ts-check
import { byId, setShown, setText } from './table.js'

const leadMs = 30_000
const everyMs = 60_000
/** A connection that is back sooner was not worth a word. */
const brokenMs = 5000
const storageKey = 'announcements'

/** What readers of screens are told of: nothing, what matters, or how it stands, too. @returns {string} */
function chosen() {
  return document.querySelector('#announcements input:checked')?.getAttribute('value') ?? 'lead'
}

/** It is the reader's own, and stays in their browser. */
function remember() {
  try {
    localStorage.setItem(storageKey, chosen())
  } catch {
    // Not every browser lets a page keep something: then it is asked again.
  }
}

function recall() {
  try {
    const value = localStorage.getItem(storageKey)
    const input = value === null ? null : document.querySelector(`#announcements input[value="${CSS.escape(value)}"]`)
    if (input instanceof HTMLInputElement) input.checked = true
  } catch {
    // As above.
  }
}

/**
 * Speaks to readers of screens, seldom: numbers that tick are no announcement.
 *
 * @param {ReturnType<typeof import('./shared.js').createWords>} words @param {boolean} isMoving the page will change
 */
export function createAnnouncer(words, isMoving) {
  setShown(byId('announcements'), isMoving)
  recall()
  byId('announcements')?.addEventListener('change', remember)
  let spokenMs = 0
  let summaryMs = Date.now()
  /** @type {string | null | undefined} */
  let leader
  let isBroken = false
  let brokenSinceMs = 0

  /** @param {string} text */
  function say(text) {
    if (chosen() === 'off') return
    spokenMs = Date.now()
    setText(byId('announce'), text)
  }

  return {
    say,
    /** Who leads now; null: nobody does. @param {string | null} now */
    lead(now) {
      leader ??= now
      if (now === null || now === leader || Date.now() - spokenMs < leadMs) return
      leader = now
      say(words.say('announceLead', { option: now }))
    },
    /** In what state the page is, and as which text. @param {string} state @param {string} text */
    state(state, text) {
      const isNow = state === 'reconnecting' || state === 'delayed'
      if (isNow && brokenSinceMs === 0) brokenSinceMs = Date.now()
      if (!isNow) brokenSinceMs = 0
      const isWorth = isNow && Date.now() - brokenSinceMs > brokenMs
      if (isNow ? isBroken || !isWorth : !isBroken) return
      isBroken = isNow
      say(text)
    },
    /** How it stands, for those who want to hear it every minute. @param {() => string} text */
    summary(text) {
      if (chosen() !== 'minute' || Date.now() - summaryMs < everyMs) return
      summaryMs = Date.now()
      say(text())
    },
  }
}
