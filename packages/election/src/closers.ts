/**
 * What has been opened, to be closed again, last first: when an app stops, and when a later part of it does not start.
 * Every closer is called, also after one that failed; the first failure is thrown at the end.
 */
export class Closers {
  readonly #closers: (() => Promise<void>)[] = []
  #closing: Promise<void> | null = null

  add(close: () => Promise<void>): void {
    this.#closers.push(close)
  }

  /** Safe to call twice: the second call waits for the first. */
  close(): Promise<void> {
    return (this.#closing ??= this.#closeAll())
  }

  /** Runs `start`; closes what it has added when it throws. */
  async guard<T>(start: () => Promise<T>): Promise<T> {
    try {
      return await start()
    } catch (error) {
      await this.close().catch(() => undefined) // the first error is the one to tell of
      throw error
    }
  }

  async #closeAll(): Promise<void> {
    let failure: unknown = null
    for (const close of this.#closers.splice(0).reverse()) {
      await close().catch((error: unknown) => (failure ??= error))
    }
    if (failure !== null) throw failure
  }
}
