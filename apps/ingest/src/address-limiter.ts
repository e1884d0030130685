import { addressPrefix } from '@voting/election/address-prefix'

interface Bucket {
  count: number
  readonly sinceMs: number
}

const windowMs = 60_000

export interface AddressLimiterOptions {
  /** How many a minute are let pass. */
  readonly perMinute: number
  /** How many addresses are remembered; the one that has been known longest makes room. Default 50,000. */
  readonly addressesMax?: number
}

/**
 * Counts what an address does that it should not do without end: guesses, or mails that it asks for. What goes right is
 * never counted: a town hall full of voters shares one address. Past the limit a failing request is answered with 429 instead
 * of the reason, so that guessing learns nothing more. Of IPv6 a household has 2⁶⁴ addresses, which count as one.
 */
export class AddressLimiter {
  readonly #perMinute: number
  readonly #addressesMax: number
  /** In the order of `sinceMs`: a bucket that begins anew goes to the end. */
  readonly #buckets = new Map<string, Bucket>()

  constructor({ perMinute, addressesMax = 50_000 }: AddressLimiterOptions) {
    this.#perMinute = perMinute
    this.#addressesMax = addressesMax
  }

  /** Notes one more; seconds to wait when there were too many, else 0. */
  note(address: string): number {
    const nowMs = Date.now()
    const prefix = addressPrefix(address)
    const bucket = this.#buckets.get(prefix)
    if (!bucket || nowMs - bucket.sinceMs >= windowMs) {
      this.#buckets.delete(prefix)
      if (this.#buckets.size >= this.#addressesMax) this.#forgetOldest()
      this.#buckets.set(prefix, { count: 1, sinceMs: nowMs })
      return 0
    }
    bucket.count++
    return bucket.count > this.#perMinute ? Math.ceil((bucket.sinceMs + windowMs - nowMs) / 1000) : 0
  }

  #forgetOldest(): void {
    const [oldest] = this.#buckets.keys()
    if (oldest !== undefined) this.#buckets.delete(oldest)
  }
}
