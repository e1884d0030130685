import { type FailsAfter, failsAfterMs } from '../common/java-rules.ts'
import { type Headers, noHeaders, type Record } from '../common/record.ts'
import type { Windowed } from '../common/windowed.ts'
import type { Change, Processor } from '../processor/processor.ts'
import type { EngineContext } from '../processor/processor-context.ts'
import type { SessionStore } from '../state/session-store.ts'
import { EmitFinal } from './emit-final.ts'
import type { SessionWindows } from './windows.ts'

export interface SessionAggregateOptions<K, V, A> {
  readonly storeName: string
  readonly windows: SessionWindows
  readonly emitsFinal: boolean
  readonly sendsOldValues: boolean
  /** null for `reduce`: the first value is the aggregate, as it is. */
  readonly init: (() => A) | null
  readonly add: (aggregate: A, value: V, key: K) => A | null
  /** Makes one aggregate of two sessions that a record has joined. */
  readonly merge: (first: A, second: A, key: K) => A | null
  /** Java's caching store finds nothing that far before time 0, and fails: with a long gap and an early record. */
  readonly failsBeforeMs: number
}

/**
 * Session windows (reference §2.4): a record joins every session of its key within the gap. The joined ones are removed, each
 * with a null, and the new one takes their place; its time is its end. Late is what ends up in a session that has closed.
 */
export const sessionWindowAggregate =
  <K, V, A>(options: SessionAggregateOptions<K, V, A>) =>
  (): Processor<K, V, Windowed<K>, Change<A>> => {
    const { storeName, windows, emitsFinal, sendsOldValues, init, add, merge, failsBeforeMs } = options
    const { gapMs, graceMs } = windows
    const { [failsAfterMs]: latestMs = Infinity } = windows as FailsAfter
    let context: EngineContext<Windowed<K>, Change<A>>
    let store: SessionStore<K, A>
    let isCached = false
    let final: EmitFinal | null = null
    let streamTimeMs = -1

    const forward = (key: Windowed<K>, newValue: A | null, oldValue: A | null, headers: Headers): void => {
      const value = { newValue, oldValue: sendsOldValues ? oldValue : null, isLatest: true }
      context.forward({ key, value, timestampMs: key.window.end, headers })
    }

    const update = ({ key, value, timestampMs }: Record<K, V>, closeTimeMs: number): void => {
      if (isCached && timestampMs - gapMs <= failsBeforeMs) {
        throw new RangeError('Error iterating over segments: segment interval has changed')
      }
      if (timestampMs > latestMs) throw new RangeError('a window cannot start at a time that has overflown')
      let start = timestampMs
      let end = timestampMs
      let aggregate: A | null = init === null ? null : init()
      const joined = [...store.findSessions(key, timestampMs - gapMs, timestampMs + gapMs)]
      for (const [session, sessionValue] of joined) {
        // Merged copies: what is sent downstream below is another decode of the same bytes.
        aggregate = aggregate === null && init === null ? sessionValue : merge(aggregate as A, sessionValue, key)
        start = Math.min(start, session.window.start)
        end = Math.max(end, session.window.end)
      }
      if (end < closeTimeMs) return context.drop('late')
      const isNew = start === timestampMs && end === timestampMs
      if (!isNew) {
        for (const [session] of joined) {
          const { window } = session
          const oldValue = sendsOldValues ? store.fetchSession(key, window.start, window.end) : null
          store.remove(session)
          if (final === null && !isCached) forward(session, null, oldValue, noHeaders)
        }
      }
      const after = aggregate === null && init === null ? (value as unknown as A) : add(aggregate as A, value, key)
      const session = { key, window: { start, end } }
      store.put(session, after)
      if (final === null && !isCached) forward(session, after, null, noHeaders)
    }

    const emitClosed = ({ headers }: Record<K, V>, closeTimeMs: number): void => {
      if (final === null || !final.isDue(closeTimeMs)) return
      const to = closeTimeMs - 1
      const from = Math.max(0, final.lastCloseMs)
      if (to < 0 || to < from) return
      for (const [session, value] of store.sessionsEndedBetween(from, to)) forward(session, value, null, headers)
      final.emitted(closeTimeMs)
    }

    return {
      init(given) {
        context = given as EngineContext<Windowed<K>, Change<A>>
        streamTimeMs = context.keepStreamTime(() => streamTimeMs)
        store = context.getStateStore(storeName)
        if (emitsFinal) {
          final = new EmitFinal(context, storeName)
          return
        }
        isCached = store.onChange(
          (key, newValue, oldValue, { headers }) => forward(key, newValue, oldValue, headers),
          sendsOldValues,
        )
      },
      process(record) {
        const { key, timestampMs } = record
        if (key === null || key === undefined) return context.drop('null-key')
        if (timestampMs > streamTimeMs) streamTimeMs = timestampMs
        const closeTimeMs = streamTimeMs - graceMs - gapMs
        update(record, closeTimeMs)
        emitClosed(record, closeTimeMs)
      },
    }
  }
