/** Windows of fixed size, aligned to the epoch: tumbling where the advance is the size, else hopping. */
export interface TimeWindowShape {
  readonly kind: 'time'
  readonly sizeMs: number
  readonly advanceMs: number
  readonly graceMs: number
}

/** A window ends where a record lies, or begins right behind one; both ends belong to it. */
export interface SlidingWindowShape {
  readonly kind: 'sliding'
  readonly differenceMs: number
  readonly graceMs: number
}

/** A session ends when its key was silent for longer than the gap. */
export interface SessionWindowShape {
  readonly kind: 'session'
  readonly gapMs: number
  readonly graceMs: number
}

/** One window, from its start on for ever. */
export interface UnlimitedWindowShape {
  readonly kind: 'unlimited'
  readonly startMs: number
}

/** How far apart two records may lie that belong together: the right one from `before` earlier to `after` later. */
export interface JoinWindowShape {
  readonly kind: 'join'
  readonly beforeMs: number
  readonly afterMs: number
  readonly graceMs: number
}

/** Calls `use` with the start of each window that a time lies in, the earliest first (TimeWindows#windowsFor). */
export function forEachWindowStart(
  shape: TimeWindowShape | UnlimitedWindowShape,
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
