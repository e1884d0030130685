/** What a store's keys are made of. */
export interface TableLayout {
  /** Slice of time a key lies in; null: the store never expires anything. */
  readonly segmentOf: ((key: string) => number) | null
  /** Part of a key within which the hot ranges lie, which it begins with; null: ranges are rare. */
  readonly groupOf: ((key: string) => string) | null
  /** The time by which keys of one group are ordered; null: they are not. */
  readonly timeOf: ((key: string) => number) | null
}

export const plainLayout: TableLayout = { segmentOf: null, groupOf: null, timeOf: null }
