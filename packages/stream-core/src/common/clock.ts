/** Where time comes from (D16): production, test driver and simulation differ only in what they pass here. */
export interface Clock {
  /** Milliseconds since the epoch. */
  nowMs(): number
  /** For durations: finer, and never set back; from any beginning. Default: `nowMs`. */
  monotonicMs?(): number
  /** Resolves after `delayMs`, which may be Infinity, or at once when `signal` aborts. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>
}

/**
 * True if it is time to do again what was done at `lastMs`. Also if the clock was set back behind that: how much time has passed is
 * not known then, and whoever waits for the clock to come there again may wait for hours.
 */
export const isDue = (nowMs: number, lastMs: number, everyMs: number): boolean =>
  nowMs - lastMs >= everyMs || nowMs < lastMs

export const monotonicMs = (clock: Clock): number => clock.monotonicMs?.() ?? clock.nowMs()

/** The longest that a timer can be told; it takes more for nothing. */
const timerMsMax = 2 ** 31 - 1

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (delayMs, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const finish = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', finish)
        resolve()
      }
      const timer = setTimeout(finish, Math.min(delayMs, timerMsMax))
      signal?.addEventListener('abort', finish, { once: true })
    }),
}
