import { joinWindows, sessionWindows, slidingWindows, timeWindows, unlimitedWindows } from 'stream-core'
import { checkFields, FormatError, given, type Raw, required, text, whole } from './format.ts'

/** The windows of `windowedBy`. Without `graceMs` there is no grace, as with Java's `…WithNoGrace`. */
export function windowsOf(raw: Raw) {
  const type = required(text, raw, 'type')
  const grace = whole(raw, 'graceMs')
  switch (type) {
    case 'time':
      checkFields(raw, 'windows', ['type', 'sizeMs', 'advanceMs', 'graceMs'])
      return timeWindows({
        size: required(whole, raw, 'sizeMs'),
        ...given({ advance: whole(raw, 'advanceMs'), grace }),
      })
    case 'sliding':
      checkFields(raw, 'windows', ['type', 'differenceMs', 'graceMs'])
      return slidingWindowsOf(required(whole, raw, 'differenceMs'), grace)
    case 'session':
      checkFields(raw, 'windows', ['type', 'gapMs', 'graceMs'])
      return sessionWindows({ gap: required(whole, raw, 'gapMs'), ...given({ grace }) })
    case 'unlimited':
      checkFields(raw, 'windows', ['type', 'startMs'])
      return unlimitedWindows(given({ startMs: whole(raw, 'startMs') }))
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
  const difference = required(whole, raw, 'differenceMs')
  const [beforeMs, afterMs] = [whole(raw, 'beforeMs'), whole(raw, 'afterMs')]
  // Java's setters are called one after the other, and each checks what there is by then.
  joinWindows({ difference, ...given({ beforeMs }) })
  return joinWindows({ difference, ...given({ beforeMs, afterMs, grace: whole(raw, 'graceMs') }) })
}
