import type { ValueGetterSupplier } from '../operators/value-getter.ts'

/** What a table's own operator can do for those behind it (KTableProcessorSupplier). */
export interface TableBehaviour<K, V> {
  /**
   * Asks for old values beside the new ones. False if that is impossible without keeping the table, and `force` does not
   * demand it.
   */
  sendOldValues(force: boolean): boolean
  /** How to read the table's present value; may make the table be kept. */
  valueGetter(): ValueGetterSupplier<K, V>
}

/** A table's behaviour, remembered by the table: whether old values are sent is decided once. */
export class TableSource<K, V> {
  readonly #behaviour: TableBehaviour<K, V>
  /** null: the table is not kept under a name of the user's. */
  readonly storeName: string | null
  #sendsOldValues = false

  constructor(behaviour: TableBehaviour<K, V>, storeName: string | null) {
    this.#behaviour = behaviour
    this.storeName = storeName
  }

  sendOldValues(force: boolean): boolean {
    this.#sendsOldValues ||= this.#behaviour.sendOldValues(force)
    return this.#sendsOldValues
  }

  valueGetter(): ValueGetterSupplier<K, V> {
    return this.#behaviour.valueGetter()
  }
}
