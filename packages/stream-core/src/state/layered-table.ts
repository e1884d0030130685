import type { RecordBatchReader } from '../common/record-batch-reader.ts'
import { BaseCursor } from './base-cursor.ts'
import type { BaseTable, SegmentRange } from './base-table.ts'
import { allSegments } from './base-table.ts'
import type { Entry } from './entry.ts'
import { KeptBytes } from './kept-bytes.ts'
import { OrderedLayer } from './ordered-layer.ts'
import { LayerRun, type PersistRun, RowsRun } from './persist-run.ts'
import { RestoredRows } from './restored-rows.ts'
import { plainLayout, type TableLayout } from './table-layout.ts'

const readCacheEntriesMax = 20_000

/** A string above every latin1 key: the upper bound of an open range. */
export const aboveEveryKey = '\u{10ffff}'

export interface TableRange {
  readonly reverse?: boolean
  readonly segments?: SegmentRange
  /** The group all keys of the range belong to, where there is one. */
  readonly group?: string | null
  /** No key of the range has an earlier time. Default: that is not known. */
  readonly earliestMs?: number
  /** Default `read_uncommitted`: what the open transaction has written is seen. */
  readonly isolation?: Isolation
}

/** What a query sees: what is committed in the log, or also what is being written and may be rolled back. */
export type Isolation = 'read_committed' | 'read_uncommitted'

/**
 * One store as a stack (D11). Reads go from the top down, writes to the top:
 *
 *   active      what the open transaction has written
 *   frozen      what the log has committed and the disk does not have
 *   persisting  a frozen layer while it is being written to disk; answers reads until COMMIT
 *   read cache  rows read from disk, decoded if that was asked for
 *   base        the table on disk; absent for an in-memory store, whose frozen layer keeps everything
 *
 * What is restored waits for the disk as bytes beside them, and becomes a part of the layers when somebody reads.
 *
 * Aborting drops `active`. Committing pours it into `frozen`, without I/O. The disk never holds what the log has not
 * committed.
 */
export class LayeredTable {
  readonly name: string
  readonly #base: BaseTable | null
  readonly #encode: (value: unknown) => Buffer
  readonly #layout: TableLayout
  #active: OrderedLayer
  #frozen: OrderedLayer
  #persisting: OrderedLayer | null = null
  /** Restored, and on its way to `frozen`, or to the disk. */
  #restored: RestoredRows | null = null
  /** The same, while it is being written to disk. */
  #persistingRows: RestoredRows | null = null
  readonly #readCache = new Map<string, Entry>()
  readonly #kept = new KeptBytes()
  /** Of values that were encoded in passing, the latest counting most: a guess for those whose size nobody knows. */
  averageBytes = 64

  constructor(
    name: string,
    base: BaseTable | null,
    encode: (value: unknown) => Buffer,
    layout: TableLayout = plainLayout,
  ) {
    this.name = name
    this.#base = base
    this.#encode = encode
    this.#layout = layout
    this.#active = this.#newLayer()
    this.#frozen = this.#newLayer()
  }

  /** The entry of a key; undefined when there is none or it was deleted. */
  find(key: string): Entry | undefined {
    const written = this.#active.get(key)
    if (written !== undefined) return written.bytes === null ? undefined : written
    this.#settle()
    // The filter knows what is frozen, too: a new key is looked for in the small layer only.
    if (this.#base !== null && !this.#base.mayHave(key)) return undefined
    const entry = this.#frozen.get(key) ?? this.#persisting?.get(key)
    if (entry !== undefined) return entry.bytes === null ? undefined : entry
    if (this.#base === null) return undefined
    const cached = this.#readCache.get(key)
    if (cached !== undefined) return cached
    const row = this.#base.get(key)
    if (row !== undefined) this.#cache(key, row)
    return row
  }

  /** For queries: as far as it is committed, or with what is being written; it leaves no trace in the read cache. */
  peek(key: string, isolation: Isolation): Entry | undefined {
    this.#settle()
    const written = isolation === 'read_uncommitted' ? this.#active.get(key) : undefined
    const entry = written ?? this.#frozen.get(key) ?? this.#persisting?.get(key)
    if (entry !== undefined) return entry.bytes === null ? undefined : entry
    if (this.#base === null || !this.#base.mayHave(key)) return undefined
    return this.#readCache.get(key) ?? this.#base.get(key)
  }

  set(key: string, entry: Entry): void {
    this.#active.set(key, entry)
  }

  /** Puts what a changelog says straight into the committed part: only for restoring. */
  restore(key: string, entry: Entry): void {
    this.#settle()
    this.#setFrozen(key, entry)
  }

  /** The same of the record that was just read, as long as nobody reads: without an object for it. False: not on disk. */
  restoreRow(record: RecordBatchReader): boolean {
    if (this.#base === null) return false
    this.#restored ??= new RestoredRows()
    this.#restored.add(record)
    return true
  }

  /** What was restored is asked for, or is to be written over: it takes its place in the layers. */
  #settle(): void {
    if (this.#restored === null && this.#persistingRows === null) return
    const [restored, persisting] = [this.#restored, this.#persistingRows]
    this.#restored = this.#persistingRows = null
    if (persisting !== null) {
      // They came after the layer that is written with them.
      this.#persisting ??= this.#newLayer()
      for (const [key, entry] of persisting.entries()) {
        this.#persisting.set(key, entry)
        this.#base!.learn(key)
      }
    }
    if (restored !== null) for (const [key, entry] of restored.entries()) this.#setFrozen(key, entry)
  }

  bytesOf(entry: Entry): Buffer | null {
    if (entry.bytes === undefined) entry.bytes = Buffer.from(this.#encode(entry.decoded))
    return entry.bytes
  }

  /** The same, for who copies them at once: they are good until the next are asked for, by anybody. */
  passingBytesOf(entry: Entry): Buffer | null {
    if (entry.bytes !== undefined) return entry.bytes
    const bytes = this.#encode(entry.decoded)
    this.averageBytes = (this.averageBytes * 7 + bytes.length) / 8
    return bytes
  }

  /** What this transaction wrote, in the order in which keys were first written. */
  get activeEntries(): ReadonlyMap<string, Entry> {
    return this.#active.entries
  }

  get frozenEntries(): number {
    return this.#frozen.size + this.restoredRows
  }

  /** Those of them that are rows and not objects, */
  get restoredRows(): number {
    return this.#restored?.length ?? 0
  }

  /** and what these take. */
  get restoredBytes(): number {
    return this.#restored?.byteLength ?? 0
  }

  /** Live entries with `from ≤ key < to` in byte order; what is written while it runs may or may not be seen. */
  *range(from: string, to: string, options: TableRange = {}): Generator<[string, Entry]> {
    const { reverse = false, segments = allSegments, group = null, earliestMs = -Infinity } = options
    const { isolation = 'read_uncommitted' } = options
    this.#settle()
    const layers: OrderedLayer[] = isolation === 'read_uncommitted' ? [this.#active, this.#frozen] : [this.#frozen]
    if (this.#persisting) layers.push(this.#persisting)
    const isIn = segments === allSegments ? null : this.#isIn(segments)
    const cursors = layers.map((layer) => new LayerCursor(layer, layer.keysBetween(from, to, group), reverse, isIn))
    const rows = this.#base && BaseCursor.open(this.#base, { from, to, reverse, segments, group, earliestMs })
    for (;;) {
      let key: string | undefined = rows?.key
      for (const cursor of cursors) {
        if (cursor.key !== undefined && (key === undefined || (reverse ? cursor.key > key : cursor.key < key))) {
          key = cursor.key
        }
      }
      if (key === undefined) return
      let entry: Entry | undefined
      for (const cursor of cursors) {
        if (cursor.key !== key) continue
        entry ??= cursor.entry
        cursor.advance()
      }
      if (rows?.key === key) {
        entry ??= rows.entry
        rows.advance()
      }
      if (entry !== undefined && entry.bytes !== null) yield [key, entry]
    }
  }

  #isIn({ first, last }: SegmentRange): (key: string) => boolean {
    const { segmentOf } = this.#layout
    if (segmentOf === null) return () => true
    return (key) => {
      const segment = segmentOf(key)
      return segment >= first && segment <= last
    }
  }

  #newLayer(): OrderedLayer {
    return new OrderedLayer(this.#layout.groupOf)
  }

  /** The transaction is committed in the log: its writes become part of the committed state. */
  freeze(): void {
    this.#settle()
    for (const [key, entry] of this.#active.entries) this.#setFrozen(key, entry)
    this.#active = this.#newLayer()
  }

  /** The transaction is aborted: its writes are forgotten, and so is every object that user code may have changed. */
  dropActive(): void {
    this.#active = this.#newLayer()
    this.#readCache.clear()
    for (const layer of [this.#frozen, this.#persisting]) {
      if (layer) for (const entry of layer.entries.values()) if (entry.bytes !== undefined) entry.decoded = undefined
    }
  }

  /** Everything goes, for a restore from the beginning. */
  clear(): void {
    this.dropActive()
    this.#frozen = this.#newLayer()
    this.#persisting = this.#restored = this.#persistingRows = null
  }

  /** Forgets entries that `isExpired` says are older than the store keeps; the base is told by `BaseTable.expire`. */
  forget(isExpired: (key: string) => boolean): void {
    for (const layer of [this.#frozen, this.#active]) {
      for (const key of layer.entries.keys()) if (isExpired(key)) layer.delete(key)
    }
    for (const key of this.#readCache.keys()) if (isExpired(key)) this.#readCache.delete(key)
  }

  /** How many values are kept that are on disk, too. */
  get readCacheEntriesMax(): number {
    return readCacheEntriesMax
  }

  /** Takes what is frozen for writing to disk, in this order: a layer, and rows that were restored since. */
  beginPersist(): readonly PersistRun[] {
    if (this.#base === null || this.#persisting !== null || this.#persistingRows !== null) return []
    const runs: PersistRun[] = []
    if (this.#frozen.size > 0) {
      this.#persisting = this.#frozen
      this.#frozen = this.#newLayer()
      runs.push(new LayerRun(this, this.#base, this.#persisting))
    }
    if (this.#restored !== null) {
      this.#persistingRows = this.#restored
      this.#restored = null
      runs.push(new RowsRun(this, this.#base, this.#persistingRows))
    }
    return runs
  }

  /** The disk has it: what was taken is no longer needed. */
  endPersist(): void {
    const layer = this.#persisting
    if (layer !== null) this.#cacheAll(layer.entries)
    if (this.#persistingRows !== null) this.#readCache.clear() // it may have what they were written over
    this.#persisting = this.#persistingRows = null
  }

  #cacheAll(entries: ReadonlyMap<string, Entry>): void {
    // What would be pushed out at once need not come in; nor may an older value stay for it.
    let passed = Math.max(0, entries.size - this.readCacheEntriesMax)
    if (passed > 0) this.#readCache.clear()
    for (const [key, entry] of entries) {
      if (passed-- > 0) continue
      if (entry.bytes === null) {
        this.#readCache.delete(key)
        continue
      }
      this.#keep(entry)
      this.#cache(key, entry)
    }
  }

  /** Writing failed: what was taken goes back below what was frozen since. */
  cancelPersist(): void {
    this.#base?.dropPuts()
    if (this.#persisting === null && this.#persistingRows === null) return
    const isAlone = this.#persisting === null && this.#frozen.size === 0 && this.#restored === null
    if (isAlone) {
      this.#restored = this.#persistingRows
      this.#persistingRows = null
      return
    }
    this.#settle()
    const newer = this.#frozen
    this.#frozen = this.#persisting ?? this.#newLayer()
    this.#persisting = null
    for (const [key, entry] of newer.entries) this.#frozen.set(key, entry)
  }

  #setFrozen(key: string, entry: Entry): void {
    if (this.#base === null) {
      if (entry.bytes === null) {
        this.#frozen.delete(key)
        return
      }
      this.#keep(entry)
      this.#frozen.set(key, entry)
    } else if (this.#frozen.set(key, entry)) {
      this.#base.learn(key)
    }
  }

  /** From here on it stays for long. The record cache holds the same entry, and gains by it, too. */
  #keep(entry: Entry): void {
    if (entry.bytes) entry.bytes = this.#kept.keep(entry.bytes)
  }

  #cache(key: string, entry: Entry): void {
    const most = this.readCacheEntriesMax
    if (most === 0) return
    if (this.#readCache.size >= most) {
      // The oldest half goes: a Map keeps insertion order, and a hot key comes back with its next read.
      let left = most / 2
      for (const old of this.#readCache.keys()) {
        if (left-- <= 0) break
        this.#readCache.delete(old)
      }
    }
    this.#readCache.set(key, entry)
  }
}

class LayerCursor {
  readonly #layer: OrderedLayer
  readonly #keys: readonly string[]
  readonly #step: 1 | -1
  readonly #isIn: ((key: string) => boolean) | null
  #at: number
  key: string | undefined
  entry: Entry | undefined

  constructor(layer: OrderedLayer, keys: readonly string[], reverse: boolean, isIn: ((key: string) => boolean) | null) {
    this.#layer = layer
    this.#keys = keys
    this.#isIn = isIn
    this.#step = reverse ? -1 : 1
    this.#at = reverse ? keys.length : -1
    this.advance()
  }

  advance(): void {
    for (;;) {
      this.#at += this.#step
      const key = this.#keys[this.#at]
      if (key !== undefined && this.#isIn !== null && !this.#isIn(key)) continue
      this.key = key
      this.entry = key === undefined ? undefined : this.#layer.get(key)
      // Deleted since the keys were listed: what lies below answers.
      if (key === undefined || this.entry !== undefined) return
    }
  }
}
