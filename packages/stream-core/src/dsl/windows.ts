import { knownOptions } from '../common/choice.ts'
import { type Duration, toMs } from '../common/duration.ts'
import { ArgumentError } from '../common/errors.ts'
import type {
  JoinWindows,
  SessionWindows,
  SlidingWindows,
  TimeWindows,
  UnlimitedWindows,
} from '../operators/windows.ts'

export interface TimeWindowsOptions {
  readonly size: Duration
  /** Distance between the starts of windows. Default: the size, so that they tumble. */
  readonly advance?: Duration
  /** How long after its end a window still takes records, by stream time. Default 0. */
  readonly grace?: Duration
}

/** A duration in milliseconds. Throws an ArgumentError that names it. */
export const durationMs = (duration: Duration, argument: string): number => {
  if (typeof duration !== 'number' && (typeof duration !== 'object' || duration === null)) {
    throw new ArgumentError(
      argument,
      `${argument} must be milliseconds, or a literal such as { minutes: 1 }; got ${JSON.stringify(duration) ?? 'nothing'}`,
    )
  }
  try {
    return toMs(duration, argument)
  } catch (error) {
    throw new ArgumentError(argument, (error as Error).message)
  }
}

/** Windows of fixed size, aligned to the epoch; the start belongs to a window, the end does not (KafkaStreams TimeWindows). */
export function timeWindows(options: TimeWindowsOptions): TimeWindows {
  knownOptions('timeWindows', options, ['size', 'advance', 'grace'])
  const sizeMs = durationMs(options.size, 'size')
  const advanceMs = options.advance === undefined ? sizeMs : durationMs(options.advance, 'advance')
  const graceMs = durationMs(options.grace ?? 0, 'grace')
  if (sizeMs === 0) throw new ArgumentError('size', 'the size of a window must be above 0')
  if (advanceMs === 0 || advanceMs > sizeMs) {
    throw new ArgumentError(
      'advance',
      `the advance of a window must be above 0 and at most its size ${sizeMs} ms, got ${advanceMs}`,
    )
  }
  return { kind: 'time', sizeMs, advanceMs, graceMs }
}

/**
 * Windows that end where a record lies or begin right behind one, both ends included: every record is aggregated with those
 * that lie at most `difference` away (SlidingWindows).
 */
export function slidingWindows(options: { readonly difference: Duration; readonly grace?: Duration }): SlidingWindows {
  knownOptions('slidingWindows', options, ['difference', 'grace'])
  const differenceMs = durationMs(options.difference, 'difference')
  if (differenceMs === 0) throw new ArgumentError('difference', 'the difference of sliding windows must be above 0')
  return { kind: 'sliding', differenceMs, graceMs: durationMs(options.grace ?? 0, 'grace') }
}

/** Windows that last as long as no gap between a key's records is longer than `gap` (SessionWindows). */
export const sessionWindows = (options: { readonly gap: Duration; readonly grace?: Duration }): SessionWindows => {
  knownOptions('sessionWindows', options, ['gap', 'grace'])
  return { kind: 'session', gapMs: durationMs(options.gap, 'gap'), graceMs: durationMs(options.grace ?? 0, 'grace') }
}

/** One window from `startMs` (default 0) on, which never closes (UnlimitedWindows). Earlier records are left out. */
export function unlimitedWindows(options: { readonly startMs?: number } = {}): UnlimitedWindows {
  const { startMs = 0 } = options
  if (!Number.isSafeInteger(startMs) || startMs < 0) {
    throw new ArgumentError('startMs', `the start of unlimited windows must be a time, 0 or later, got ${startMs}`)
  }
  return { kind: 'unlimited', startMs }
}

export interface JoinWindowsOptions {
  /** How far apart two records may lie that belong together, both ends included. */
  readonly difference: Duration
  /** How far before a left record a right one may lie; may be negative, in milliseconds. Default: the difference. */
  readonly beforeMs?: number
  /** How far after a left record a right one may lie; may be negative, in milliseconds. Default: the difference. */
  readonly afterMs?: number
  /** How long the join waits for late records before it says that there is no match. Default 0. */
  readonly grace?: Duration
}

/** Which records of two streams belong together (JoinWindows). */
export function joinWindows(options: JoinWindowsOptions): JoinWindows {
  knownOptions('joinWindows', options, ['difference', 'beforeMs', 'afterMs', 'grace'])
  const differenceMs = durationMs(options.difference, 'difference')
  const beforeMs = options.beforeMs ?? differenceMs
  const afterMs = options.afterMs ?? differenceMs
  for (const [name, value] of Object.entries({ beforeMs, afterMs })) {
    if (!Number.isSafeInteger(value)) {
      throw new ArgumentError(name, `${name} must be a whole number of milliseconds, got ${JSON.stringify(value)}`)
    }
  }
  if (beforeMs + afterMs < 0) {
    throw new ArgumentError(
      'beforeMs',
      `before (${beforeMs} ms) and after (${afterMs} ms) leave no window between them`,
    )
  }
  return { kind: 'join', beforeMs, afterMs, graceMs: durationMs(options.grace ?? 0, 'grace') }
}
