/** Kafka Streams' generated names: one counter per builder, ten digits, counted up by every node and store. */
export class Names {
  #next = 0

  /** A generated name, or the user's; the counter moves either way it is asked to. */
  node(prefix: string): string {
    return `${prefix}-${this.#index()}`
  }

  store(prefix: string): string {
    return `${prefix}-STATE-STORE-${this.#index()}`
  }

  #index(): string {
    return String(this.#next++).padStart(10, '0')
  }
}
