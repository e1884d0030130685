/**
 * A key and the span of time it stands for. The end of a time window lies outside it, that of a session or sliding window
 * inside; an unlimited window ends at Infinity.
 */
export interface Windowed<K> {
  readonly key: K
  readonly window: { readonly start: number; readonly end: number }
}
