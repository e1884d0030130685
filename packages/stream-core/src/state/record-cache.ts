import type { Headers, RecordContext } from '../common/record.ts'
import type { Entry } from './entry.ts'
import { OrderedKeys } from './ordered-keys.ts'

/** An update that the cache held back, handed on by a flush. */
export interface CachedUpdate {
  readonly key: string
  /** `bytes === null`: a deletion. */
  readonly entry: Entry
  /** Of the record that caused it: results are forwarded under it. */
  readonly context: RecordContext
}

interface Node extends CachedUpdate {
  entry: Entry
  context: RecordContext
  isDirty: boolean
  sizeBytes: number
  older: Node | null
  newer: Node | null
  /** Neighbours among the dirty nodes, in the order of their last updates. */
  dirtyBefore: Node | null
  dirtyAfter: Node | null
}

/**
 * Kafka Streams' record cache (ThreadCache): one budget in bytes for all stores of an instance. It decides when results
 * are forwarded, and nothing else: state itself is in the store's layers.
 */
export class RecordCache {
  readonly maxBytes: number
  sizeBytes = 0

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
  }

  get isFull(): boolean {
    return this.sizeBytes > this.maxBytes
  }
}

/**
 * One store's part of the record cache (NamedCache): holds updates back until the commit, or until the cache is full, and
 * hands on only the last of each key, in the order of their last update. Keys are the store's key strings. The accounting
 * of bytes is Java's, because what is evicted, and when, shows in results.
 */
export class StoreCache {
  readonly #cache: RecordCache
  readonly #keyOverhead: number
  readonly #bytesOf: (entry: Entry) => number
  readonly #onFlush: (updates: readonly CachedUpdate[]) => void
  readonly #nodes = new Map<string, Node>()
  readonly #order: OrderedKeys
  #firstDirty: Node | null = null
  #lastDirty: Node | null = null
  #sizeBytes = 0
  #newest: Node | null = null
  #oldest: Node | null = null

  /** `keyOverhead`: bytes that Java's cache key has more than ours, for a segment id. */
  constructor(
    cache: RecordCache,
    keyOverhead: number,
    groupOf: ((key: string) => string) | null,
    bytesOf: (entry: Entry) => number,
    onFlush: (updates: readonly CachedUpdate[]) => void,
  ) {
    this.#cache = cache
    this.#keyOverhead = keyOverhead
    this.#bytesOf = bytesOf
    this.#onFlush = onFlush
    this.#order = new OrderedKeys(this.#nodes, groupOf)
  }

  get isDirty(): boolean {
    return this.#firstDirty !== null
  }

  /** The entry held for a key, deletions included; undefined when the cache does not know the key. It has been used now. */
  get(key: string): Entry | undefined {
    const node = this.#nodes.get(key)
    if (node === undefined) return undefined
    this.#touch(node)
    return node.entry
  }

  /** The same, for queries: they do not decide what is evicted, and so forwarded, next. */
  peek(key: string): Entry | undefined {
    return this.#nodes.get(key)?.entry
  }

  put(key: string, entry: Entry, context: RecordContext, isDirty: boolean): void {
    const before = this.#sizeBytes
    this.#put(key, entry, context, isDirty)
    this.#cache.sizeBytes += this.#sizeBytes - before
    while (this.#cache.isFull && this.#oldest !== null) {
      const beforeEviction = this.#sizeBytes
      this.#evict(this.#oldest)
      // Only now: what is forwarded meanwhile finds the cache still full, as in Java.
      this.#cache.sizeBytes += this.#sizeBytes - beforeEviction
    }
  }

  #put(key: string, entry: Entry, context: RecordContext, isDirty: boolean): void {
    const sizeBytes = nodeSize(key.length + this.#keyOverhead, this.#bytesOf(entry), context)
    let node = this.#nodes.get(key)
    if (node === undefined) {
      node = {
        key,
        entry,
        context,
        isDirty: false,
        sizeBytes,
        older: null,
        newer: null,
        dirtyBefore: null,
        dirtyAfter: null,
      }
      this.#nodes.set(key, node)
      this.#order.added(key)
      this.#link(node)
      this.#sizeBytes += sizeBytes
    } else {
      this.#sizeBytes += sizeBytes - node.sizeBytes
      node.entry = entry
      node.context = context
      node.sizeBytes = sizeBytes
      this.#touch(node)
    }
    if (!isDirty) return
    // Out and in again: a key's place is that of its last update.
    this.#clean(node)
    this.#soil(node)
  }

  /** All keys in byte order: a snapshot. */
  keys(): readonly string[] {
    return this.#order.all()
  }

  /** Keys with `from ≤ key < to`, in order: a snapshot. */
  keysBetween(from: string, to: string, group: string | null): readonly string[] {
    return this.#order.between(from, to, group)
  }

  /** Hands on every held update, oldest first. */
  flush(): void {
    const before = this.#sizeBytes
    this.#flush(null)
    this.#cache.sizeBytes += this.#sizeBytes - before
  }

  /** Forgets everything: after an abort. */
  clear(): void {
    this.#cache.sizeBytes -= this.#sizeBytes
    this.#sizeBytes = 0
    this.#nodes.clear()
    this.#order.cleared()
    this.#newest = this.#oldest = this.#firstDirty = this.#lastDirty = null
  }

  /** An evicted update takes all held ones with it, so that they leave in order. */
  #flush(evicted: Node | null): void {
    if (this.#firstDirty === null) return
    const updates: CachedUpdate[] = []
    if (evicted !== null) {
      updates.push(evicted)
      this.#clean(evicted)
    }
    const deleted: string[] = []
    for (let node = this.#firstDirty as Node | null; node !== null; node = this.#firstDirty) {
      updates.push({ key: node.key, entry: node.entry, context: node.context })
      if (node.entry.bytes === null) deleted.push(node.key)
      this.#clean(node)
    }
    this.#onFlush(updates)
    for (const key of deleted) {
      const node = this.#nodes.get(key)
      if (node !== undefined) this.#remove(node)
    }
  }

  #evict(node: Node): void {
    const { isDirty } = node
    this.#unlink(node)
    this.#nodes.delete(node.key)
    this.#order.removed(node.key)
    this.#sizeBytes -= node.sizeBytes
    if (isDirty) this.#flush(node)
  }

  #remove(node: Node): void {
    this.#clean(node)
    this.#unlink(node)
    this.#nodes.delete(node.key)
    this.#order.removed(node.key)
    this.#sizeBytes -= node.sizeBytes
  }

  #soil(node: Node): void {
    node.isDirty = true
    node.dirtyBefore = this.#lastDirty
    if (this.#lastDirty === null) this.#firstDirty = node
    else this.#lastDirty.dirtyAfter = node
    this.#lastDirty = node
  }

  #clean(node: Node): void {
    if (!node.isDirty) return
    node.isDirty = false
    if (node.dirtyBefore === null) this.#firstDirty = node.dirtyAfter
    else node.dirtyBefore.dirtyAfter = node.dirtyAfter
    if (node.dirtyAfter === null) this.#lastDirty = node.dirtyBefore
    else node.dirtyAfter.dirtyBefore = node.dirtyBefore
    node.dirtyBefore = node.dirtyAfter = null
  }

  #touch(node: Node): void {
    if (this.#newest === node) return
    this.#unlink(node)
    this.#link(node)
  }

  #link(node: Node): void {
    node.older = this.#newest
    node.newer = null
    if (this.#newest !== null) this.#newest.newer = node
    this.#newest = node
    this.#oldest ??= node
  }

  #unlink(node: Node): void {
    if (node.older === null) this.#oldest = node.newer
    else node.older.newer = node.newer
    if (node.newer === null) this.#newest = node.older
    else node.newer.older = node.older
    node.older = node.newer = null
  }
}

/** Bytes of a cached entry by Java's accounting: three references, a flag, the value, and the record's context. */
const nodeSize = (keyBytes: number, valueBytes: number, context: RecordContext): number =>
  keyBytes + 24 + 1 + valueBytes + contextSize(context)

/** ProcessorRecordContext#residentMemorySizeEstimate: part of what a suppress buffer's byte limit counts, too. */
export function contextSize({ topic, headers }: RecordContext): number {
  return 20 + (topic?.length ?? 0) + (headers.length === 0 ? 0 : headersSize(headers))
}

function headersSize(headers: Headers): number {
  let size = 0
  for (const [name, value] of headers) size += name.length + (value?.length ?? 0)
  return size
}
