import type {
  KeyValueStore,
  SessionStore,
  StateStore,
  TimestampedKeyValueStore,
  TimestampedWindowStore,
  VersionedKeyValueStore,
  WindowStore,
} from 'stream-core'
import { CastError } from '../../packages/stream-core/src/common/cast-error.ts'
import { flag, required, type Raw, text } from './format.ts'
import { exactBound, limit } from './long-limits.ts'
import { num, str } from './functions.ts'
import type { Action, ActionType, Context, Rec } from './processor-types.ts'
import { add, type Long, type Value } from './values.ts'

/** The processors that use a store; with a null key most do nothing. */
export type PlainStore = KeyValueStore<Value, Value>
type Timestamped = TimestampedKeyValueStore<Value, Value>

export const isTimestamped = ({ spec }: StateStore): boolean =>
  (spec.kind === 'keyValue' || spec.kind === 'window') && spec.timestamped

/** A count that is stored; nothing stored is 0. */
export const longOf = (value: Value): Long => num(value)

/** The store as Java casts it: one of another kind is a failed cast, as the engine knows it. */
function storeOf<S>(context: Context, name: string, kind: StateStore['spec']['kind']): S {
  const store: StateStore = context.getStateStore(name)
  if (store.spec.kind !== kind) throw new CastError(`"${name}" is no store of the kind ${kind}`)
  return store as S
}

/** A text, for a store of texts: Java cannot cast it to a value with a timestamp. */
function plainText(store: { readonly spec: StateStore['spec'] }, value: Value): string | null {
  if (value !== null && isTimestamped(store as StateStore)) throw new CastError('no value with a timestamp')
  return value === null ? null : str(value)
}

export function putOrDelete(context: Context, name: string, key: Value, value: Value, timestampMs: number): void {
  const store = storeOf<StateStore>(context, name, 'keyValue')
  if (value === null) (store as PlainStore).delete(key)
  else if (isTimestamped(store)) (store as unknown as Timestamped).put(key, value, timestampMs)
  else (store as PlainStore).put(key, value)
}

export const emit = (context: Context, record: Rec, value: Value): void => context.forward({ ...record, value })

function bump(context: Context, name: string, { key, timestampMs }: Rec): Long {
  const store = storeOf<StateStore>(context, name, 'keyValue')
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
  const store = storeOf<WindowStore<Value, Value>>(context, name, 'window')
  const within = required(limit, spec, 'withinMs')
  for (const _seen of store.fetchRange(key, Math.max(0, timestampMs - within), timestampMs + within)) return
  store.put(key, plainText(store, str(value)), timestampMs)
  context.forward(record)
}

function windowCount(context: Context, record: Rec, name: string, spec: Raw): void {
  const { key, timestampMs } = record
  const sizeMs = required(limit, spec, 'sizeMs')
  if (sizeMs === 0) throw new RangeError('/ by zero')
  const start = timestampMs - (timestampMs % sizeMs)
  const store = storeOf<StateStore>(context, name, 'window')
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
  const store = storeOf<WindowStore<Value, Value>>(context, name, 'window')
  store.put(key, plainText(store, value), timestampMs)
  const from = Math.max(0, timestampMs - required(limit, spec, 'backMs'))
  const to = timestampMs + required(limit, spec, 'aheadMs')
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
  const store = storeOf<SessionStore<Value, Value>>(context, name, 'session')
  const gap = required(limit, spec, 'gapMs')
  let [start, end, count]: [number, number, Long] = [timestampMs, timestampMs, 1]
  const found = [...store.findSessions(key, Math.max(0, timestampMs - gap), timestampMs + gap)]
  for (const [session, sessionCount] of found) {
    start = Math.min(start, session.window.start)
    end = Math.max(end, session.window.end)
    count = add(count, longOf(sessionCount))
  }
  for (const [session] of found) store.remove(session)
  store.put({ key, window: { start, end } }, count)
  emit(context, record, `${start}/${exactBound(end)}=${count}`)
}

function versioned(context: Context, record: Rec, name: string, spec: Raw): void {
  const { key, value, timestampMs } = record
  const store = storeOf<VersionedKeyValueStore<Value, Value>>(context, name, 'versioned')
  if (value === null && flag(spec, 'useDelete') === true) {
    return emit(context, record, `deleted ${shown(store.delete(key, timestampMs))}`)
  }
  const outcome = store.put(key, value === null ? null : str(value), timestampMs)
  const put = outcome.kind === 'until' ? String(outcome.validToMs) : outcome.kind
  const then = store.get(key, timestampMs - required(limit, spec, 'lagMs'))
  emit(context, record, `put ${put} now ${shown(store.get(key))} then ${shown(then)}`)
}

const shown = (version: { readonly value: Value; readonly timestampMs: number } | null): string =>
  version === null ? 'none' : `${str(version.value)}@${version.timestampMs}`

function range(context: Context, record: Rec, name: string, spec: Raw): void {
  const { key, value } = record
  const store = storeOf<PlainStore>(context, name, 'keyValue')
  if (value === null) store.delete(key)
  else store.put(key, plainText(store, value))
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
  const store = storeOf<PlainStore>(context, name, 'keyValue')
  const old = store.putIfAbsent(key, plainText(store, value))
  emit(context, record, `${str(old)}>${str(store.get(key))}`)
}

function lookup(context: Context, record: Rec, name: string): void {
  const store = storeOf<StateStore>(context, name, 'keyValue')
  const wanted = str(record.value)
  const found = isTimestamped(store)
    ? ((store as unknown as Timestamped).get(wanted)?.value ?? null)
    : (store as PlainStore).get(wanted)
  emit(context, record, `${wanted}=${str(found)}`)
}
