import { TopologyError } from '../common/errors.ts'

/**
 * Kafka Streams' generated names: one counter per builder, ten digits. It moves with every processor and store that could
 * have got one, also where the user gave a name, so that naming one operator does not rename the others (reference §5.8).
 */
export class Names {
  #next = 0

  /** A generated name. */
  node(prefix: string): string {
    return `${prefix}-${this.#index()}`
  }

  store(prefix: string): string {
    return `${prefix}-STATE-STORE-${this.#index()}`
  }

  /** The store name of a table read from a topic. */
  tableStore(topic: string): string {
    return `${topic}-STATE-STORE-${this.#index()}`
  }

  /** The user's name, or a generated one. */
  given(name: string | undefined, prefix: string): string {
    const generated = this.node(prefix)
    return name === undefined ? generated : checkedName(name)
  }

  /** The user's name, for which the counter stands still, or a generated one. */
  own(name: string | undefined, prefix: string): string {
    return name === undefined ? this.node(prefix) : checkedName(name)
  }

  /** The user's name and a suffix, or a generated one. */
  suffixed(name: string | undefined, suffix: string, prefix: string): string {
    const generated = this.node(prefix)
    return name === undefined ? generated : checkedName(checkedName(name) + suffix)
  }

  /** Counts on for a name that is made otherwise. */
  skip(): void {
    this.#next++
  }

  #index(): string {
    return String(this.#next++).padStart(10, '0')
  }
}

export function checkedName(name: string): string {
  if (/^[a-zA-Z0-9._-]{1,249}$/.test(name) && name !== '.' && name !== '..') return name
  throw new TopologyError(`illegal name ${JSON.stringify(name)}: 1 to 249 of a-z A-Z 0-9 . _ - are allowed`, [name])
}
