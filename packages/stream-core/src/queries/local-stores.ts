import type { StateStore } from '../state/state-store.ts'

/** One partition of a store that is here, as a query sees it. */
export interface LocalStore {
  readonly partition: number
  readonly store: StateStore
  /** Throws a StoreNotAvailableError once it is not here any more. */
  check(): void
}

/** Where a query finds what it asks for. Both throw a StoreNotAvailableError that says where else it may be. */
export interface LocalStores {
  /** All partitions that are asked for. */
  all(): readonly LocalStore[]
  /** Those in which a key may be; the most likely one first. */
  having(key: unknown): Iterable<LocalStore>
}

/** What is read from several stores, one after the other, each looked after between two steps. */
export function* inTurn<R>(locals: Iterable<LocalStore>, read: (store: StateStore) => Iterable<R>): Generator<R> {
  for (const local of locals) {
    local.check()
    for (const row of read(local.store)) {
      yield row
      // Whoever read the row may have let time pass.
      local.check()
    }
  }
}

/** The same in the order of the rows' own keys, each store being in that order. */
export function* merged<R>(
  locals: readonly LocalStore[],
  read: (store: StateStore) => Iterable<R>,
  orderOf: (row: R) => string,
  reverse: boolean,
): Generator<R> {
  if (locals.length === 1) return yield* inTurn(locals, read)
  const heads = locals.map((local) => new Head(local, read, orderOf))
  for (;;) {
    let next: Head<R> | null = null
    for (const head of heads) {
      if (head.row === undefined) continue
      if (next === null || (reverse ? head.order > next.order : head.order < next.order)) next = head
    }
    if (next === null) return
    yield next.row!
    next.advance()
  }
}

class Head<R> {
  readonly #local: LocalStore
  readonly #rows: Iterator<R>
  readonly #orderOf: (row: R) => string
  row: R | undefined
  order = ''

  constructor(local: LocalStore, read: (store: StateStore) => Iterable<R>, orderOf: (row: R) => string) {
    local.check()
    this.#local = local
    this.#rows = read(local.store)[Symbol.iterator]()
    this.#orderOf = orderOf
    this.advance()
  }

  advance(): void {
    this.#local.check()
    const { value, done } = this.#rows.next()
    this.row = done === true ? undefined : value
    if (this.row !== undefined) this.order = this.#orderOf(this.row)
  }
}
