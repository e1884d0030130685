import { joinWindows, sessionWindows, slidingWindows, timeWindows, unlimitedWindows } from 'stream-core'
import { checkFields, FormatError, given, type Raw, required, text } from './format.ts'
import { JavaError } from './error-classes.ts'
import { longMax } from './values.ts'
import { type FailsAfter, failsAfterMs } from '../../packages/stream-core/src/common/java-rules.ts'
import { exact, limit, wrapped } from './long-limits.ts'

/** The windows of `windowedBy`. Without `graceMs` there is no grace, as with Java's `…WithNoGrace`. */
export function windowsOf(raw: Raw) {
  const type = required(text, raw, 'type')
  const grace = limit(raw, 'graceMs')
  switch (type) {
    case 'time':
      checkFields(raw, 'windows', ['type', 'sizeMs', 'advanceMs', 'graceMs'])
      return timeWindows({
        size: required(limit, raw, 'sizeMs'),
        ...given({ advance: limit(raw, 'advanceMs'), grace }),
      })
    case 'sliding':
      checkFields(raw, 'windows', ['type', 'differenceMs', 'graceMs'])
      return slidingWindowsOf(required(limit, raw, 'differenceMs'), grace)
    case 'session':
      checkFields(raw, 'windows', ['type', 'gapMs', 'graceMs'])
      return sessionWindowsOf(required(limit, raw, 'gapMs'), grace)
    case 'unlimited':
      checkFields(raw, 'windows', ['type', 'startMs'])
      return unlimitedWindows(given({ startMs: limit(raw, 'startMs') }))
    default:
      throw new FormatError(`unknown windows "${type}"`)
  }
}

/** Java makes windows with a difference of 0, which fail for every record; the library refuses to. */
function slidingWindowsOf(difference: number, grace: number | undefined): ReturnType<typeof slidingWindows> {
  const made = slidingWindows({ difference: difference === 0 ? 1 : difference, ...given({ grace }) })
  return { ...made, differenceMs: difference }
}

/** The windows of a stream-stream join. */
export function joinWindowsOf(raw: Raw): ReturnType<typeof joinWindows> {
  checkFields(raw, 'windows', ['type', 'differenceMs', 'graceMs', 'beforeMs', 'afterMs'])
  if (raw['type'] !== 'join') throw new FormatError(`unknown windows ${JSON.stringify(raw['type'])} of a join`)
  const difference = required(limit, raw, 'differenceMs')
  const [beforeMs, afterMs] = [limit(raw, 'beforeMs'), limit(raw, 'afterMs')]
  const grace = limit(raw, 'graceMs')
  // Java's setters are called one after the other, and each checks what there is by then.
  joinSizeMs(difference, difference)
  joinSizeMs(beforeMs ?? difference, difference)
  const sizeMs = joinSizeMs(beforeMs ?? difference, afterMs ?? difference)
  // Twice the least long is 0 by overflow: a window that begins before every record and ends before every other.
  if (difference < 0 && (beforeMs ?? difference) + (afterMs ?? difference) < 0) {
    return joinWindows({ difference: 0, beforeMs: -difference, afterMs: difference + sizeMs, ...given({ grace }) })
  }
  return joinWindows({ difference: Math.max(0, difference), ...given({ beforeMs, afterMs, grace }) })
}

/** How long a join's window is: a sum that overflows is below 0, or no longer, as in Java. */
function joinSizeMs(beforeMs: number, afterMs: number): number {
  const size = wrapped(exact(beforeMs) + exact(afterMs))
  if (size < 0n) throw new JavaError('IllegalArgumentException', 'Window interval must not be negative.')
  return Number(size)
}

/** From a time on at which its sum with the gap overflows, Java's session store on disk fails. */
function sessionWindowsOf(gap: number, grace: number | undefined): ReturnType<typeof sessionWindows> {
  const made = sessionWindows({ gap, ...given({ grace }) })
  const rule: FailsAfter = { [failsAfterMs]: Number(longMax - exact(gap)) }
  return { ...made, ...rule }
}
