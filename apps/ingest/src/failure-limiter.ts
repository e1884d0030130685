interface Bucket {
  failures: number
  sinceMs: number
}

const windowMs = 60_000
const addressesMax = 50_000

/**
 * Counts what goes wrong per address, never what goes right: a town hall full of voters shares one address. Past the
 * limit a failing request is answered with 429 instead of the reason, so that guessing learns nothing more.
 */
export class FailureLimiter {
  readonly #max: number
  readonly #buckets = new Map<string, Bucket>()

  constructor(failuresPerMinute: number) {
    this.#max = failuresPerMinute
  }

  /** Notes a failure; seconds to wait when the address has had too many, else 0. */
  fail(address: string): number {
    const nowMs = Date.now()
    const bucket = this.#buckets.get(address)
    if (!bucket || nowMs - bucket.sinceMs >= windowMs) {
      if (this.#buckets.size >= addressesMax) this.#forgetOld(nowMs)
      this.#buckets.set(address, { failures: 1, sinceMs: nowMs })
      return 0
    }
    bucket.failures++
    return bucket.failures > this.#max ? Math.ceil((bucket.sinceMs + windowMs - nowMs) / 1000) : 0
  }

  #forgetOld(nowMs: number): void {
    for (const [address, { sinceMs }] of this.#buckets) if (nowMs - sinceMs >= windowMs) this.#buckets.delete(address)
    if (this.#buckets.size >= addressesMax) this.#buckets.clear()
  }
}
