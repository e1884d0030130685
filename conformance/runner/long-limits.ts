import type { Topology } from 'stream-core'
import { JavaError } from './error-classes.ts'
import { FormatError, type Raw } from './format.ts'
import { long, type Long, longMax } from './values.ts'

/**
 * Limits beyond what a number holds exactly. Java takes sizes, graces and intervals up to Long.MAX_VALUE, which are as good as
 * for ever; the library takes times that a number holds, 285,000 years. A scenario's longer ones are run as shorter ones
 * that no record's time comes near, and said at their true length where they show, as in the end of a window. What
 * overflows in Java is computed here as Java does.
 */
const leastLong = 2 ** 52
/** What the first, the second … long limit of a scenario is run as. Up to three can be added and told apart. */
const steps = [2 ** 46, 2 ** 48, 2 ** 50]
const places = 4

/** The long limits of the scenario that is run: a scenario runs from its beginning to its end without a pause. */
let limits: bigint[] = []

export function forgetLongLimits(): void {
  limits = []
}

/** A limit in milliseconds, or undefined where it is left out. */
export function limit(raw: Raw, field: string): number | undefined {
  const value = raw[field] ?? null
  if (value === null) return undefined
  const isWhole = typeof value === 'string' ? /^-?\d+$/.test(value) : Number.isInteger(value)
  if (!isWhole) throw new FormatError(`"${field}" has to be a whole number, got ${JSON.stringify(value)}`)
  return shortened(BigInt(value as number | string))
}

function shortened(value: bigint): number {
  const length = value < 0n ? -value : value
  if (length < leastLong) return Number(value)
  let at = limits.indexOf(length)
  if (at < 0) at = limits.push(length) - 1
  const step = steps[at]
  if (step === undefined) throw new FormatError(`more than ${steps.length} limits of over ${leastLong} ms: ${value}`)
  return value < 0n ? -step : step
}

/** The true length of a time that may have long limits in it, without Java's overflow. */
export function exact(timeMs: number): bigint {
  if (timeMs === Infinity) return longMax
  if (limits.length === 0) return BigInt(timeMs)
  let rest = Math.round(Math.abs(timeMs) / steps[0]!)
  let more = 0n
  for (let at = 0; rest > 0 && at < limits.length; at++) {
    more += BigInt(rest % places) * (limits[at]! - BigInt(steps[at]!))
    rest = Math.floor(rest / places)
  }
  return BigInt(timeMs) + (timeMs < 0 ? -more : more)
}

/** A limit as Java adds it up: what is beyond 64 bits wraps around. */
export const wrapped = (value: bigint): bigint => BigInt.asIntN(64, value)

/** A bound of a window: an end that has overflown is the end of time in Java. */
export function exactBound(timeMs: number): Long {
  const bound = wrapped(exact(timeMs))
  return long(bound < 0n && timeMs > 0 ? longMax : bound)
}

/** Java refuses a retention that has overflown when the application starts. */
export function checkRetentions({ stores }: Topology): void {
  for (const spec of stores) {
    if (!('retentionMs' in spec) || wrapped(exact(spec.retentionMs)) >= 0n) continue
    throw new JavaError('IllegalArgumentException', `the retention of ${spec.name} is beyond Long.MAX_VALUE`)
  }
}
