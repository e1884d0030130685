export interface BallotGateOptions {
  /** How long a ballot may have to wait for its answer: no more are taken than can be answered in this time. */
  readonly waitMs: number
  /** However fast the answers come, no more are under way than this: a bound for memory. */
  readonly underWayMax: number
  /** A clock that never goes back. Default: `performance.now`. */
  readonly nowMs?: () => number
}

export const ballotWaitMs = 2000
export const ballotsUnderWayMax = 5000

/** Until something is known of this machine. */
const firstLimit = 1000
/** So few are taken at any pace: where even these wait too long it is not their number that makes them wait. */
const leastLimit = 64
/** How much one answer weighs. */
const weight = 1 / 32

/**
 * Decides at once whether a ballot is taken: those that would be answered too late are told so before anything is done for
 * them, while they can still come again (D140).
 *
 * By Little's law who comes when `n` are under way and is answered after `t` was answered at `n / t` a second, and
 * `waitMs` has room for `n * waitMs / t`. So each ballot that waited too long says how many may be under way, whatever made
 * it wait: processor, PostgreSQL, or the log. One that hardly waited while many were under way says that there may be more.
 */
export class BallotGate {
  underWay = 0
  readonly #waitMs: number
  readonly #underWayMax: number
  readonly #nowMs: () => number
  #limit: number

  constructor({ waitMs, underWayMax, nowMs = () => performance.now() }: BallotGateOptions) {
    this.#waitMs = waitMs
    this.#underWayMax = underWayMax
    this.#nowMs = nowMs
    this.#limit = Math.min(firstLimit, underWayMax)
  }

  /** How many may be under way now. */
  get limit(): number {
    return Math.floor(this.#limit)
  }

  get isFull(): boolean {
    return this.underWay >= this.limit
  }

  /** Lets one in; null when too many are under way. What is returned is called once, when its answer is known. */
  enter(): ((answer: 'recorded' | 'refused') => void) | null {
    if (this.isFull) return null
    const count = ++this.underWay
    const sinceMs = this.#nowMs()
    return (answer) => {
      this.underWay--
      this.#learn(count, this.#nowMs() - sinceMs, answer)
    }
  }

  #learn(count: number, tookMs: number, answer: 'recorded' | 'refused'): void {
    if (tookMs > this.#waitMs) {
      const room = Math.max((count * this.#waitMs) / tookMs, Math.min(leastLimit, this.#underWayMax))
      if (room < this.#limit) this.#limit += (room - this.#limit) * weight
      return
    }
    // Refused is also who is refused at a glance, which says nothing of how fast ballots are taken.
    const isQuick = tookMs < this.#waitMs / 2 && answer === 'recorded'
    if (isQuick && count > this.#limit / 2) this.#limit = Math.min(this.#underWayMax, this.#limit + 1)
  }
}
