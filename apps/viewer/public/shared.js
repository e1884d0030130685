// @ts-check
// What the server paints and the script repaints: one language, one zone, one format (D32), one line for each option (D33).
import { createMessages } from '@voting/election/messages'

const timeZone = 'UTC'

/**
 * How everything is said in one language.
 *
 * @param {string} locale
 * @param {Record<string, string | Record<string, string>>} messages texts with {values}; several forms of one go by `n`
 */
export function createWords(locale, messages) {
  const { say, number } = createMessages(locale, messages)
  const signed = new Intl.NumberFormat(locale, { signDisplay: 'exceptZero' })
  const percent = new Intl.NumberFormat(locale, {
    style: 'percent',
    minimumFractionDigits: 1,
    maximumFractionDigits: 1,
  })
  const wholePercent = new Intl.NumberFormat(locale, { style: 'percent' })
  const relative = new Intl.RelativeTimeFormat(locale, { style: 'short' })
  const time = (/** @type {Intl.DateTimeFormatOptions} */ options) => {
    const format = new Intl.DateTimeFormat(locale, { ...options, timeZone })
    return (/** @type {number} */ ms) => format.format(ms)
  }
  // Months by their names: with numbers, an Arabic date between texts of the other direction may be read from either end.
  const date = /** @type {const} */ ({ year: 'numeric', month: 'short', day: 'numeric' })
  const clock = /** @type {const} */ ({ hour: 'numeric', minute: '2-digit' })
  const day = time(date)
  const dayAndMinute = time({ ...date, ...clock })
  const dayAndSecond = time({ ...date, ...clock, second: '2-digit' })
  const minute = time({ timeStyle: 'short' })
  const second = time({ timeStyle: 'medium' })

  return {
    say,
    number,
    signed: (/** @type {number} */ n) => signed.format(n),
    percent: (/** @type {number} */ share) => percent.format(share),
    /** For axes. @param {number} share */
    percents: (share) => wholePercent.format(share),
    day,
    dayAndMinute,
    /** @param {number} ms @param {boolean} hasSeconds */
    clock: (ms, hasSeconds) => (hasSeconds ? second : minute)(ms),
    /** A moment, with the date where it is not today. @param {number} ms @param {number} nowMs */
    moment: (ms, nowMs) => (day(ms) === day(nowMs) ? second(ms) : dayAndSecond(ms)),
    /** Time that has passed. @param {number} ms */
    ago: (ms) => {
      const seconds = Math.max(0, Math.round(ms / 1000))
      if (seconds < 100) return relative.format(-seconds, 'second')
      const minutes = Math.round(seconds / 60)
      return minutes < 100 ? relative.format(-minutes, 'minute') : relative.format(-Math.round(minutes / 60), 'hour')
    },
    /** Time since an opening, as hours and minutes. @param {number} ms */
    elapsed: (ms) => {
      const minutes = Math.round(ms / 60_000)
      return say('elapsed', { h: Math.floor(minutes / 60), m: minutes % 60 })
    },
    /** When a poll is open. @param {string} status @param {number} opensMs @param {number} closesMs */
    when: (status, opensMs, closesMs) => {
      const [opens, closes] = [dayAndMinute(opensMs), dayAndMinute(closesMs)]
      if (status === 'scheduled') return say('whenOpens', { opens })
      if (status === 'open') return say('whenUntil', { closes })
      if (closesMs < opensMs) return say('whenClosedBefore', { closes })
      return say('whenClosed', { opens, closes })
    },
    /** Who leads, and by how much. @param {{ id: string, label: string }[]} options @param {Record<string, number>} totals */
    lead: (options, totals) => {
      const [first, second] = options
        .map(({ id, label }) => ({ label, votes: totals[id] ?? 0 }))
        .sort((a, b) => b.votes - a.votes)
      if (!first || !second || first.votes === 0) return '–'
      if (first.votes === second.votes) return say('tied')
      return say('leadBy', { option: first.label, n: first.votes - second.votes })
    },
  }
}

const colours = 6
/** @type {readonly (readonly number[])[]} */
const dashes = [[], [8, 4], [2, 3], [10, 3, 2, 3], [5, 5], [14, 3, 2, 3, 2, 3]]

/** The line of an option: no two of up to 36 have both the colour and the dashes of another. @param {number} index */
export const lineOf = (index) => ({
  colour: index % colours,
  dash: dashes[(index + Math.floor(index / colours)) % dashes.length] ?? [],
})

/** The line of the options that have none of their own. */
export const othersLine = { colour: colours, dash: [1, 4] }
/** More lines nobody can follow. */
const linesMax = 6

/**
 * The options that an address names, `1,3`: counted from 1. Null: it names none that there is, so all are meant.
 *
 * @param {string | null | undefined} text @param {number} count @returns {number[] | null} counted from 0, in the poll's order
 */
export function chosenLines(text, count) {
  const named = new Set((text ?? '').split(',').map((part) => Number(part) - 1))
  const chosen = Array.from({ length: count }, (_, i) => i).filter((i) => named.has(i))
  return chosen.length === 0 || chosen.length === count ? null : chosen
}

/**
 * Which options are lines of their own, and which are drawn together, in the poll's order: of more than six those with most
 * votes. One that is drawn is replaced only by one that is clearly ahead of it: lines must not come and go.
 *
 * @param {readonly number[]} votes @param {readonly number[] | null} chosen @param {readonly number[]} [drawn]
 * @returns {{ own: number[], rest: number[] }}
 */
export function splitLines(votes, chosen, drawn = []) {
  const candidates = chosen ?? votes.map((_, i) => i)
  if (candidates.length <= linesMax) return { own: [...candidates], rest: [] }
  const of = (/** @type {number} */ i) => votes[i] ?? 0
  const byVotes = candidates.toSorted((a, b) => of(b) - of(a) || a - b)
  const own = drawn.filter((i) => candidates.includes(i)).slice(0, linesMax)
  for (const i of byVotes) if (own.length < linesMax && !own.includes(i)) own.push(i)
  for (;;) {
    const least = own.reduce((a, b) => (of(b) < of(a) ? b : a))
    const next = byVotes.find((i) => !own.includes(i)) ?? least
    if (of(next) <= of(least) * 1.05) break
    own[own.indexOf(least)] = next
  }
  own.sort((a, b) => a - b)
  return { own, rest: candidates.filter((i) => !own.includes(i)) }
}

/**
 * What was found out beside the result, as sentences for lists.
 *
 * @param {ReturnType<typeof createWords>} words @param {{ id: string, label: string }[]} options @param {number} nowMs
 */
export function createFindings(words, options, nowMs) {
  const label = (/** @type {string} */ id) => options.find((option) => option.id === id)?.label ?? id
  return {
    /** @param {{ atMs: number, from: string | null, to: string, margin: number, voters: number }} lead */
    lead: ({ atMs, from, to, voters }) =>
      words.say(from === null ? 'leadFirst' : 'leadTaken', {
        time: words.moment(atMs, nowMs),
        option: label(to),
        other: from === null ? '' : label(from),
        n: voters,
      }),
    /** @param {{ from: string, to: string, voters: number }} flow */
    flow: ({ from, to, voters }) => words.say('flow', { from: label(from), to: label(to), n: voters }),
    /** @param {[string, number]} rejection */
    rejection: ([reason, count]) => words.say('rejection', { reason: words.say(`reason-${reason}`), n: count }),
    /** @param {{ startMs: number, endMs: number, recorded: number, usual: number, windowMs: number }} burst */
    burst: ({ startMs, endMs, recorded, usual, windowMs }) =>
      words.say('burst', {
        from: words.moment(startMs, nowMs),
        to: words.moment(endMs, nowMs),
        n: recorded,
        usual: Math.round((usual * (endMs - startMs)) / windowMs),
      }),
  }
}
