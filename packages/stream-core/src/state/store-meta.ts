/** The few numbers a store keeps beside its rows: they are rolled back, frozen and persisted with them. */
export interface StoreNumbers {
  /** Largest time put so far, by which the store expires; −1 before the first put. */
  observedStreamTimeMs: number
  /** Sequence number of the last put into a store that keeps duplicates. */
  sequence: number
}

export class StoreMeta {
  readonly active: StoreNumbers
  readonly #committed: StoreNumbers

  constructor(active = noNumbers(), committed = noNumbers()) {
    this.active = active
    this.#committed = committed
  }

  /** The same numbers as if nothing were open: it follows this one. */
  get committedView(): StoreMeta {
    return new StoreMeta(this.#committed, this.#committed)
  }

  observe(timestampMs: number): void {
    if (timestampMs > this.active.observedStreamTimeMs) this.active.observedStreamTimeMs = timestampMs
  }

  nextSequence(): number {
    return (this.active.sequence = (this.active.sequence + 1) & 0x7fffffff)
  }

  get committed(): Readonly<StoreNumbers> {
    return this.#committed
  }

  freeze(): void {
    Object.assign(this.#committed, this.active)
  }

  rollBack(): void {
    Object.assign(this.active, this.#committed)
  }

  /** What was read from disk. */
  load(numbers: Readonly<StoreNumbers>): void {
    Object.assign(this.active, numbers)
    Object.assign(this.#committed, numbers)
  }
}

const noNumbers = (): StoreNumbers => ({ observedStreamTimeMs: -1, sequence: 0 })
