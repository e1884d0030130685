import type { ValueGetterSupplier } from '../operators/value-getter.ts'

/** A table that every instance holds as a whole; streams join it by any key, without being co-partitioned. */
export class GlobalKTable<K, V> {
  /** Name of its store, for interactive queries and processors. */
  readonly storeName: string
  readonly #getter: ValueGetterSupplier<K, V>

  /** @internal */
  constructor(storeName: string, getter: ValueGetterSupplier<K, V>) {
    this.storeName = storeName
    this.#getter = getter
  }

  /** @internal For joins. */
  valueGetter(): ValueGetterSupplier<K, V> {
    return this.#getter
  }
}
