const retryDelaysMs = [20, 50, 100, 200, 400, 800]

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** The promise's outcome, or a rejection when it takes longer; no timer is left behind. */
export function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`no answer within ${Math.round(ms)} ms`)),
      Math.min(ms, 2 ** 31 - 1),
    )
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

export const retryDelayMs = (attempt: number): number => retryDelaysMs[Math.min(attempt, retryDelaysMs.length - 1)]!
