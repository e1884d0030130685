// @ts-check
// What the server paints and the script repaints: one zone, one format (D32), one line for each option (D33).

const locale = 'en'
const timeZone = 'UTC'
const day = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone })
const dayAndMinute = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short', timeZone })
const dayAndSecond = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'medium', timeZone })
const minute = new Intl.DateTimeFormat(locale, { timeStyle: 'short', timeZone })
const second = new Intl.DateTimeFormat(locale, { timeStyle: 'medium', timeZone })

/** @param {number} ms */
export const formatDay = (ms) => day.format(ms)

/** @param {number} ms @param {boolean} hasSeconds */
export const formatClock = (ms, hasSeconds) => (hasSeconds ? second : minute).format(ms)

/** A moment, with the date where it is not today. @param {number} ms @param {number} nowMs */
export const formatTime = (ms, nowMs) =>
  formatDay(ms) === formatDay(nowMs) ? second.format(ms) : dayAndSecond.format(ms)

/** When a poll is open. @param {string} status @param {number} opensMs @param {number} closesMs */
export function whenText(status, opensMs, closesMs) {
  const [opens, closes] = [dayAndMinute.format(opensMs), dayAndMinute.format(closesMs)]
  if (status === 'scheduled') return `Opens ${opens} UTC.`
  if (status === 'open') return `Open until ${closes} UTC.`
  if (closesMs < opensMs) return `Closed ${closes} UTC, before it opened.`
  return `Closed. It was open from ${opens} to ${closes} UTC.`
}

const colours = 6
/** @type {readonly (readonly number[])[]} */
const dashes = [[], [8, 4], [2, 3], [10, 3, 2, 3], [5, 5], [14, 3, 2, 3, 2, 3]]

/** The line of an option: no two of up to 36 have both the colour and the dashes of another. @param {number} index */
export const lineOf = (index) => ({
  colour: index % colours,
  dash: dashes[(index + Math.floor(index / colours)) % dashes.length] ?? [],
})
