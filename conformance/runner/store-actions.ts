import type {
  KeyValueStore,
  SessionStore,
  StateStore,
  TimestampedKeyValueStore,
  TimestampedWindowStore,
  VersionedKeyValueStore,
  WindowStore,
} from 'stream-core'
import { flag, required, type Raw, text, whole } from './format.ts'
import { num, str } from './functions.ts'
import type { Action, ActionType, Context, Rec } from './processor-types.ts'
import { add, type Long, timeText, type Value } from './values.ts'

/** The processors that use a store; with a null key most do nothing. */
export type PlainStore = KeyValueStore<Value, Value>
type Timestamped = TimestampedKeyValueStore<Value, Value>

export const isTimestamped = ({ spec }: StateStore): boolean =>
  (spec.kind === 'keyValue' || spec.kind === 'window') && spec.timestamped

/** A count that is stored; nothing stored is 0. */
export const longOf = (value: Value): Long => num(value)

export function putOrDelete(context: Context, name: string, key: Value, value: Value, timestampMs: number): void {
  const store: StateStore = context.getStateStore(name)
  if (value === null) (store as PlainStore).delete(key)
  else if (isTimestamped(store)) (store as unknown as Timestamped).put(key, value, timestampMs)
  else (store as PlainStore).put(key, value)
}

export const emit = (context: Context, record: Rec, value: Value): void => context.forward({ ...record, value })

function bump(context: Context, name: string, { key, timestampMs }: Rec): Long {
  const store: StateStore = context.getStateStore(name)
  if (isTimestamped(store)) {
    const timestamped = store as unknown as Timestamped
    const count = add(longOf(timestamped.get(key)?.value ?? null), 1)
    timestamped.put(key, count, timestampMs)
    return count
  }
  const plain = store as PlainStore
  const count = add(longOf(plain.get(key)), 1)
  plain.put(key, count)
  return count
}

/** An action on the store that the processor names. */
const onStore =
  (act: (context: Context, record: Rec, store: string, spec: Raw) => void) =>
  (spec: Raw): Action => {
    const store = required(text, spec, 'store')
    return (context, record) => act(context, record, store, spec)
  }

/** The same, for records with a key only. */
const byKey = (act: (context: Context, record: Rec, store: string, spec: Raw) => void) =>
  onStore((context, record, store, spec) => {
    if (record.key !== null) act(context, record, store, spec)
  })

export const types: { readonly [type: string]: ActionType } = {
  count: {
    fields: [],
    make: onStore((context, record, store) =>
      emit(context, record, record.key === null ? 0 : bump(context, store, record)),
    ),
  },
  silentCount: { fields: [], make: byKey((context, record, store) => void bump(context, store, record)) },
  dedup: { fields: ['withinMs'], make: onStore(dedup) },
  windowCount: { fields: ['sizeMs'], make: byKey(windowCount) },
  windowScan: { fields: ['backMs', 'aheadMs', 'reverse', 'allKeys'], make: byKey(windowScan) },
  sessions: { fields: ['gapMs'], make: byKey(sessions) },
  versioned: { fields: ['lagMs', 'useDelete'], make: byKey(versioned) },
  range: { fields: ['from', 'to', 'reverse', 'prefix'], make: byKey(range) },
  putIfAbsent: { fields: [], make: byKey(putIfAbsent) },
  lookup: { fields: [], make: onStore(lookup) },
}

function dedup(context: Context, record: Rec, name: string, spec: Raw): void {
  const { key, value, timestampMs } = record
  if (key === null) return context.forward(record)
  const store = context.getStateStore<WindowStore<Value, Value>>(name)
  const within = required(whole, spec, 'withinMs')
  for (const _seen of store.fetchRange(key, Math.max(0, timestampMs - within), timestampMs + within)) return
  store.put(key, str(value), timestampMs)
  context.forward(record)
}

function windowCount(context: Context, record: Rec, name: string, spec: Raw): void {
  const { key, timestampMs } = record
  const sizeMs = required(whole, spec, 'sizeMs')
  if (sizeMs === 0) throw new RangeError('/ by zero')
  const start = timestampMs - (timestampMs % sizeMs)
  const store: StateStore = context.getStateStore(name)
  let count: Long
  if (isTimestamped(store)) {
    const timestamped = store as unknown as TimestampedWindowStore<Value, Value>
    count = add(longOf(timestamped.fetch(key, start)?.value ?? null), 1)
    timestamped.put(key, count, start, timestampMs)
  } else {
    const plain = store as WindowStore<Value, Value>
    count = add(longOf(plain.fetch(key, start)), 1)
    plain.put(key, count, start)
  }
  emit(context, record, `${start}=${count}`)
}

function windowScan(context: Context, record: Rec, name: string, spec: Raw): void {
  const { key, value, timestampMs } = record
  const store = context.getStateStore<WindowStore<Value, Value>>(name)
  store.put(key, value === null ? null : str(value), timestampMs)
  const from = Math.max(0, timestampMs - required(whole, spec, 'backMs'))
  const to = timestampMs + required(whole, spec, 'aheadMs')
  const reverse = flag(spec, 'reverse') === true
  let found = ''
  if (flag(spec, 'allKeys') === true) {
    for (const [windowed, one] of store.fetchAll(from, to, { reverse })) {
      found += `${str(windowed.key)}@${windowed.window.start}=${str(one)},`
    }
  } else {
    for (const [start, one] of store.fetchRange(key, from, to, { reverse })) found += `${start}=${str(one)},`
  }
  emit(context, record, found)
}

function sessions(context: Context, record: Rec, name: string, spec: Raw): void {
  const { key, timestampMs } = record
  const store = context.getStateStore<SessionStore<Value, Value>>(name)
  const gap = required(whole, spec, 'gapMs')
  let [start, end, count]: [number, number, Long] = [timestampMs, timestampMs, 1]
  const found = [...store.findSessions(key, Math.max(0, timestampMs - gap), timestampMs + gap)]
  for (const [session, sessionCount] of found) {
    start = Math.min(start, session.window.start)
    end = Math.max(end, session.window.end)
    count = add(count, longOf(sessionCount))
  }
  for (const [session] of found) store.remove(session)
  store.put({ key, window: { start, end } }, count)
  emit(context, record, `${start}/${timeText(end)}=${count}`)
}

function versioned(context: Context, record: Rec, name: string, spec: Raw): void {
  const { key, value, timestampMs } = record
  const store = context.getStateStore<VersionedKeyValueStore<Value, Value>>(name)
  if (value === null && flag(spec, 'useDelete') === true) {
    return emit(context, record, `deleted ${shown(store.delete(key, timestampMs))}`)
  }
  const outcome = store.put(key, value === null ? null : str(value), timestampMs)
  const put = outcome.kind === 'until' ? String(outcome.validToMs) : outcome.kind
  const then = store.get(key, timestampMs - required(whole, spec, 'lagMs'))
  emit(context, record, `put ${put} now ${shown(store.get(key))} then ${shown(then)}`)
}

const shown = (version: { readonly value: Value; readonly timestampMs: number } | null): string =>
  version === null ? 'none' : `${str(version.value)}@${version.timestampMs}`

function range(context: Context, record: Rec, name: string, spec: Raw): void {
  const { key, value } = record
  const store = context.getStateStore<PlainStore>(name)
  if (value === null) store.delete(key)
  else store.put(key, str(value))
  const prefix = text(spec, 'prefix')
  const reverse = flag(spec, 'reverse') === true
  const entries =
    prefix === undefined
      ? store.range(text(spec, 'from') ?? null, text(spec, 'to') ?? null, { reverse })
      : store.prefixScan(prefix)
  let found = ''
  for (const [one, stored] of entries) found += `${str(one)}=${str(stored)},`
  emit(context, record, found)
}

function putIfAbsent(context: Context, record: Rec, name: string): void {
  const { key, value } = record
  const store = context.getStateStore<PlainStore>(name)
  const old = store.putIfAbsent(key, value === null ? null : str(value))
  emit(context, record, `${str(old)}>${str(store.get(key))}`)
}

function lookup(context: Context, record: Rec, name: string): void {
  const store: StateStore = context.getStateStore(name)
  const wanted = str(record.value)
  const found = isTimestamped(store)
    ? ((store as unknown as Timestamped).get(wanted)?.value ?? null)
    : (store as PlainStore).get(wanted)
  emit(context, record, `${wanted}=${str(found)}`)
}
