/** Windows of fixed size, aligned to the epoch: tumbling where the advance is the size, else hopping. */
export interface TimeWindows {
  readonly kind: 'time'
  readonly sizeMs: number
  readonly advanceMs: number
  readonly graceMs: number
}

/** A window ends where a record lies, or begins right behind one; both ends belong to it. */
export interface SlidingWindows {
  readonly kind: 'sliding'
  readonly differenceMs: number
  readonly graceMs: number
}

/** A session ends when its key was silent for longer than the gap. */
export interface SessionWindows {
  readonly kind: 'session'
  readonly gapMs: number
  readonly graceMs: number
}

/** One window, from its start on for ever. */
export interface UnlimitedWindows {
  readonly kind: 'unlimited'
  readonly startMs: number
}

/** How far apart two records may lie that belong together: the right one from `before` earlier to `after` later. */
export interface JoinWindows {
  readonly kind: 'join'
  readonly beforeMs: number
  readonly afterMs: number
  readonly graceMs: number
}

/** What records are aggregated by, but for sessions. */
export type Windows = TimeWindows | SlidingWindows | UnlimitedWindows

/** Calls `use` with the start of each window that a time lies in, the earliest first (TimeWindows#windowsFor). */
export function forEachWindowStart(
  shape: TimeWindows | UnlimitedWindows,
  timeMs: number,
  use: (startMs: number) => void,
): void {
  if (shape.kind === 'unlimited') {
    if (timeMs >= shape.startMs) use(shape.startMs)
    return
  }
  const { sizeMs, advanceMs } = shape
  const first = Math.floor(Math.max(0, timeMs - sizeMs + advanceMs) / advanceMs) * advanceMs
  for (let start = first; start <= timeMs; start += advanceMs) use(start)
}
