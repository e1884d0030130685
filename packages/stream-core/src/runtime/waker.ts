/** Lets the loop wait for the end of an asynchronous call. */
export class Waker {
  #next = Promise.withResolvers<void>()
  /** Also told: whatever else the loop may be waiting in. */
  onWake: () => void = () => undefined

  wake(): void {
    this.#next.resolve()
    this.#next = Promise.withResolvers<void>()
    this.onWake()
  }

  /** Resolves at the next `wake` after this call. */
  next(): Promise<void> {
    return this.#next.promise
  }
}
