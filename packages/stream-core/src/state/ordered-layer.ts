import type { Entry } from './entry.ts'
import { OrderedKeys } from './ordered-keys.ts'

/** One layer of a store: point reads and writes cost what a Map costs, ranges are sorted when they are asked for. */
export class OrderedLayer {
  readonly entries = new Map<string, Entry>()
  readonly #order: OrderedKeys

  constructor(groupOf: ((key: string) => string) | null) {
    this.#order = new OrderedKeys(this.entries, groupOf)
  }

  get size(): number {
    return this.entries.size
  }

  get(key: string): Entry | undefined {
    return this.entries.get(key)
  }

  /** True if the key was not there before. */
  set(key: string, entry: Entry): boolean {
    const before = this.entries.size
    this.entries.set(key, entry)
    if (this.entries.size === before) return false
    this.#order.added(key)
    return true
  }

  delete(key: string): void {
    if (this.entries.delete(key)) this.#order.removed(key)
  }

  keysBetween(from: string, to: string, group: string | null): readonly string[] {
    return this.#order.between(from, to, group)
  }
}
