interface Asked<T> {
  readonly running: Promise<T>
  /** For all who have come since it runs. */
  next: Promise<T> | null
}

const nothing = (): void => undefined

/**
 * Asks once for all who want to know the same at the same time, as when ten thousand pages come. Nobody gets an answer that was
 * asked for before they came: who comes while a question runs shares the next one.
 */
export class SharedQuestion<T> {
  readonly #question: (key: string) => Promise<T>
  readonly #asked = new Map<string, Asked<T>>()

  constructor(question: (key: string) => Promise<T>) {
    this.#question = question
  }

  ask(key: string): Promise<T> {
    const asked = this.#asked.get(key)
    if (!asked) return this.#start(key)
    return (asked.next ??= asked.running.then(nothing, nothing).then(() => this.#start(key)))
  }

  #start(key: string): Promise<T> {
    const asked: Asked<T> = { running: this.#question(key), next: null }
    this.#asked.set(key, asked)
    const end = (): void => {
      if (asked.next === null) this.#asked.delete(key)
    }
    asked.running.then(end, end)
    return asked.running
  }
}
