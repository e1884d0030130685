import { bytesEntry } from './entry.ts'
import { type InnerStore, plainInner } from './inner-store.ts'
import { aboveEveryKey } from './layered-table.ts'
import { StoreBase, type StoreParts } from './store-base.ts'
import type { CustomStoreSpec } from './store-spec.ts'
import { plainLayout } from './table-layout.ts'

export interface RowRange {
  /** Lowest key of the range; left out: from the first. */
  readonly from?: Uint8Array
  /** The key behind the range; left out: to the last. */
  readonly to?: Uint8Array
  readonly reverse?: boolean
}

/**
 * What a store of the user's own making is built on: rows of bytes in the order of their keys, which are committed, rolled
 * back, logged, written to disk and restored like those of every other store.
 */
export interface CustomRows {
  get(key: Uint8Array): Buffer | null
  /** null deletes. */
  put(key: Uint8Array, value: Uint8Array | null): void
  /** Rows with `from ≤ key < to`. What is put while it is read may or may not be seen. */
  range(range?: RowRange): Iterable<readonly [key: Buffer, value: Buffer]>
  /** Event time of the record that is being processed. */
  readonly recordTimeMs: number
}

/** A store whose face is the user's: see `stores.custom`. */
export class CustomStore extends StoreBase<CustomStoreSpec> {
  /** null: made when it is asked for. */
  #face: { readonly of: unknown } | null = null

  constructor(spec: CustomStoreSpec, parts: StoreParts) {
    super(spec, parts, { layout: plainLayout, encode: (value) => value as Buffer })
  }

  /** What processors get. */
  get face(): unknown {
    this.#face ??= { of: this.spec.open(this.#customRows()) }
    return this.#face.of
  }

  /** What the face remembers is as wrong as the rows that were rolled back: it is made anew. */
  override rollBack(): void {
    super.rollBack()
    this.#face = null
  }

  override restore(key: string, bytes: Buffer | null, timestampMs: number, headers: never): void {
    super.restore(key, bytes, timestampMs, headers)
    this.#face = null
  }

  protected inner(): InnerStore {
    return plainInner(this.table)
  }

  #customRows(): CustomRows {
    const { host, rows } = this
    return {
      get recordTimeMs() {
        return host.recordContext.timestampMs
      },
      get: (key) => rows.find(latin1(key))?.bytes ?? null,
      put: (key, value) => {
        const bytes = value === null ? null : Buffer.from(value)
        rows.put(latin1(key), bytesEntry(bytes, host.recordContext.timestampMs))
      },
      *range({ from, to, reverse = false } = {}) {
        const low = from === undefined ? '' : latin1(from)
        const high = to === undefined ? aboveEveryKey : latin1(to)
        for (const [key, entry] of rows.range(low, high, { reverse })) {
          yield [Buffer.from(key, 'latin1'), entry.bytes!]
        }
      },
    }
  }
}

const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
