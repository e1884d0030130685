import type { Raw } from '../runner/format.ts'
import { type Draft, present, type StreamHandle, type TableHandle } from './draft.ts'
import { optional } from './options.ts'
import { claimRepartition, kept, repartitioned } from './repartitions.ts'
import { type StreamStep, withoutNullKeys } from './stream-steps.ts'
import * as functions from './typed-functions.ts'
import { isSameType, isWindowed } from './types.ts'

interface Sides {
  readonly beforeMs: number
  readonly afterMs: number
  readonly graceMs: number
}

function joinWindows(draft: Draft): { readonly windows: Raw } & Sides {
  const { random } = draft
  const differenceMs = random.chance(0.08) ? 0 : draft.span(1, 20)
  const graceMs = random.maybe(0.6, () => draft.span(0, 12))
  let beforeMs = random.maybe(0.2, () => draft.span(0, 15))
  let afterMs = random.maybe(0.2, () => draft.span(0, 15))
  // A window may lie wholly on one side, as long as its size is not negative.
  if (beforeMs !== undefined && afterMs !== undefined && random.chance(0.2)) {
    if (beforeMs > afterMs) afterMs = -afterMs
    else beforeMs = -beforeMs
  }
  return {
    windows: present({ type: 'join', differenceMs, graceMs, beforeMs, afterMs }),
    beforeMs: beforeMs ?? differenceMs,
    afterMs: afterMs ?? differenceMs,
    graceMs: graceMs ?? 0,
  }
}

export const joinStream: StreamStep = (draft, on) => {
  const { random } = draft
  // Windowed keys in window stores have no order that the format defines.
  if (isWindowed(on.key)) return false
  const others = draft.streams.filter((other) => isSameType(other.key, on.key))
  const other = random.chance(0.15) ? on : random.pick(others)
  if (!claimRepartition(draft, on, other)) return false
  const op = random.pick(['join', 'leftJoin', 'outerJoin'])
  const { windows, ...sides } = joinWindows(draft)
  const { name, type } = functions.joiner(random, on.key, on.value, other.value)
  const id = draft.step(op, {
    on: on.id,
    other: other.id,
    joiner: name,
    windows,
    streamJoined: streamJoined(draft, on, other, sides),
  })
  draft.addStream(
    { id, key: on.key, value: type, isKeySerdeKnown: false, isValueSerdeKnown: false, ...repartitioned },
    on,
  )
  draft.loose.delete(other)
  return true
}

function streamJoined(draft: Draft, on: StreamHandle, other: StreamHandle, sides: Sides): Raw | undefined {
  const { random } = draft
  // The join's stores take nothing from the streams: what is given here, or the defaults.
  const supplier = (): Raw => ({
    name: draft.fresh('side-'),
    retentionMs: sides.beforeMs + sides.afterMs + sides.graceMs,
    windowSizeMs: sides.beforeMs + sides.afterMs,
  })
  return optional(draft, {
    name: draft.optionalName('join-'),
    storeName: draft.optionalName('join-store-'),
    keySerde: draft.keySerde(on.key, false),
    valueSerde: draft.valueSerde(on.value, false),
    otherValueSerde: draft.valueSerde(other.value, false),
    store: random.maybe(0.15, () => 'inMemory'),
    logging: random.maybe(0.15, () => false),
    thisStore: random.maybe(0.12, supplier),
    otherStore: random.maybe(0.12, supplier),
  })
}

export const joinTable: StreamStep = (draft, given) => {
  const { random } = draft
  const tables = draft.tables.filter(
    (table) => isSameType(table.key, given.key) && (draft.isCareless || table.isUnreadable !== true),
  )
  if (tables.length === 0) return false
  const table = random.pick(tables)
  const op = random.pick(['join', 'leftJoin'])
  const graceMs = graceOver(draft, table)
  const on = graceMs !== undefined && op === 'leftJoin' && !draft.isCareless ? withoutNullKeys(draft, given) : given
  if (!claimRepartition(draft, on)) return false
  const { name, type } = functions.joiner(random, on.key, on.value, table.value)
  const joined = optional(draft, {
    name: draft.optionalName('joined-'),
    // The buffer of a grace takes no serde from the stream.
    keySerde: draft.keySerde(on.key, graceMs === undefined && on.isKeySerdeKnown),
    valueSerde: draft.valueSerde(on.value, graceMs === undefined && on.isValueSerdeKnown),
    otherValueSerde: random.maybe(0.2, () => table.value),
    graceMs,
  })
  const id = draft.step(op, { on: on.id, other: table.id, joiner: name, joined })
  const where = on.isRekeyed ? repartitioned : kept(on, id)
  draft.addStream({ id, key: on.key, value: type, isKeySerdeKnown: false, isValueSerdeKnown: false, ...where }, on)
  draft.loose.delete(table)
  return true
}

function graceOver(draft: Draft, table: TableHandle): number | undefined {
  const history = table.historyRetentionMs
  if (history === undefined) return undefined
  return draft.random.maybe(0.6, () => draft.remember(Math.min(history, draft.span(0, 10))))
}

export const joinGlobalTable: StreamStep = (draft, on) => {
  if (draft.globalTables.length === 0) return false
  const { random } = draft
  const table = random.pick(draft.globalTables)
  const op = random.pick(['join', 'leftJoin'])
  const isWithKey = random.chance(0.4)
  const { name, type } = functions.joiner(random, isWithKey ? on.key : null, on.value, table.value)
  const id = draft.step(op, {
    on: on.id,
    other: table.id,
    selector: functions.stringSelector(random, on.key, on.value),
    joiner: name,
    joinerWithKey: isWithKey ? true : undefined,
    ...draft.named('global-join'),
  })
  draft.addStream({ ...on, id, value: type, isValueSerdeKnown: false, ...kept(on, id) }, on)
  return true
}
