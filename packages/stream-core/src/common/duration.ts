/** A length of time: milliseconds, or a literal such as `{ minutes: 1, seconds: 30 }`. */
export type Duration =
  | number
  | {
      readonly days?: number
      readonly hours?: number
      readonly minutes?: number
      readonly seconds?: number
      readonly milliseconds?: number
    }

const units: readonly string[] = ['days', 'hours', 'minutes', 'seconds', 'milliseconds']

/** The duration in milliseconds. Throws a RangeError that names `what` when it is negative or not a whole number. */
export function toMs(duration: Duration, what: string): number {
  const unknown = Object.keys(duration).find((unit) => !units.includes(unit))
  if (unknown !== undefined) throw new RangeError(`${what} has no unit "${unknown}"; there are ${units.join(', ')}`)
  const ms =
    typeof duration === 'number'
      ? duration
      : (duration.days ?? 0) * 86_400_000 +
        (duration.hours ?? 0) * 3_600_000 +
        (duration.minutes ?? 0) * 60_000 +
        (duration.seconds ?? 0) * 1000 +
        (duration.milliseconds ?? 0)
  if (!Number.isSafeInteger(ms) || ms < 0) {
    const text = typeof duration === 'number' ? duration : JSON.stringify(duration)
    throw new RangeError(`${what} must be a whole number of milliseconds, 0 or more; got ${text}`)
  }
  return ms
}
