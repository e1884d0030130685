/** Numbers and times in words, the same in every form of the page. */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const tenths = new Intl.NumberFormat('en', { maximumFractionDigits: 1 })

/** What stands for what is not known. */
export const unknown = '–'

export const count = (value: number | null): string => (value === null ? unknown : whole.format(value))

export const rate = (perSecond: number | null): string =>
  perSecond === null ? unknown : `${perSecond < 10 ? tenths.format(perSecond) : whole.format(perSecond)}/s`

export const share = (value: number | null): string => (value === null ? unknown : `${Math.round(value * 100)} %`)

/** As much as is worth knowing: `3.2 ms`, `41 s`, `2 h 5 min`. */
export function span(ms: number | null): string {
  if (ms === null) return unknown
  // A clock that was set back tells of times to come.
  if (ms <= 0) return '0 s'
  if (ms < 1) return `${whole.format(ms * 1000)} µs`
  if (ms < 1000) return `${ms < 10 ? tenths.format(ms) : whole.format(ms)} ms`
  const seconds = ms / 1000
  if (seconds < 120) return `${seconds < 10 ? tenths.format(seconds) : whole.format(seconds)} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 120) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.round(hours / 24)} days`
}

const timeMax = 8.64e15

/** `2026-11-30 07:48:39Z`; times that are none are told as numbers. */
export function time(ms: number | null): string {
  if (ms === null) return unknown
  if (Math.abs(ms) > timeMax) return String(ms)
  return new Date(ms)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z')
}

export const plural = (number: number, one: string, many = `${one}s`): string =>
  `${count(number)} ${number === 1 ? one : many}`

/** `a, b and 3 more`. */
export function some(names: readonly string[], most = 5): string {
  if (names.length <= most) return names.join(', ')
  return `${names.slice(0, most).join(', ')} and ${count(names.length - most)} more`
}
