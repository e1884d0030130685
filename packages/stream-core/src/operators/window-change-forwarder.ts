import type { Headers } from '../common/record.ts'
import type { Windowed } from '../common/windowed.ts'
import type { Change } from '../processor/processor.ts'
import type { EngineContext } from '../processor/processor-context.ts'
import type { TimestampedWindowStore } from '../state/window-store.ts'

/** Forwards a change of a window, unless a record cache does so when it is flushed. */
export type ForwardWindowChange<K, A> = (
  key: K,
  start: number,
  end: number,
  newValue: A | null,
  oldValue: A | null,
  timestampMs: number,
  headers: Headers,
) => void

export function windowChangeForwarder<K, A>(
  context: EngineContext<Windowed<K>, Change<A>>,
  store: TimestampedWindowStore<K, A> | null,
  sendsOldValues: boolean,
): ForwardWindowChange<K, A> {
  const isCached =
    store?.onChange((key, newValue, oldValue, { timestampMs, headers }) => {
      const value = { newValue: newValue?.value ?? null, oldValue: oldValue?.value ?? null, isLatest: true }
      context.forward({ key, value, timestampMs: newValue?.timestampMs ?? timestampMs, headers })
    }, sendsOldValues) ?? false
  if (isCached) return () => undefined
  return (key, start, end, newValue, oldValue, timestampMs, headers) => {
    const value = { newValue, oldValue: sendsOldValues ? oldValue : null, isLatest: true }
    context.forward({ key: { key, window: { start, end } }, value, timestampMs, headers })
  }
}
