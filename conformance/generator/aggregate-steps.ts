import type { Json, Raw } from '../runner/format.ts'
import { type Draft, present, type StreamHandle } from './draft.ts'
import { materialized, type Result } from './options.ts'
import { claimRepartition } from './repartitions.ts'
import type { StreamStep } from './stream-steps.ts'
import * as functions from './typed-functions.ts'
import { innerOf, isSameType, isWindowed, type KeyType, type Plain } from './types.ts'
import { windows, type Windows } from './windows.ts'

/** A grouped stream: what it is keyed by, and whether its serdes were given with it. */
interface Group {
  readonly id: string
  readonly key: KeyType
  readonly value: Plain
  readonly isKeySerdeKnown: boolean
  readonly isValueSerdeKnown: boolean
}

/** Groups a stream and aggregates it, all in one go: plain, windowed or together with other groups. */
export const aggregate: StreamStep = (draft, on) => {
  const others = draft.random.chance(0.2) ? companions(draft, on) : []
  const group = groupOf(draft, on, others.length > 0)
  if (group === null) return false
  draft.loose.delete(on)
  const isWindowable = !isWindowed(group.key)
  const chosen = isWindowable && draft.random.chance(0.6) ? windows(draft) : null
  if (others.length > 0 || draft.random.chance(0.08)) cogroup(draft, group, others, chosen)
  else if (chosen === null) finish(draft, group, group.id, null, false)
  else {
    let id = draft.step('windowedBy', { on: group.id, windows: chosen.spec })
    const strategy = draft.random.maybe(0.4, () =>
      draft.random.pick(['onWindowClose', 'onWindowClose', 'onWindowUpdate']),
    )
    // UnlimitedWindows never close: Java refuses that at build, which is worth a look now and then.
    const isSensible = chosen.kind !== 'unlimited' || draft.random.chance(0.1)
    if (strategy !== undefined && isSensible) id = draft.step('emitStrategy', { on: id, strategy })
    finish(draft, group, id, chosen, false)
  }
  return true
}

/** Further streams for one cogroup. */
function companions(draft: Draft, on: StreamHandle): readonly StreamHandle[] {
  const fitting = draft.streams.filter((other) => isSameType(other.key, on.key))
  return Array.from({ length: draft.random.whole(1, 2) }, () => draft.random.pick(fitting))
}

/** `isCogrouped`: J4, two re-keyed groups of one cogroup need names. */
function groupOf(draft: Draft, on: StreamHandle, isCogrouped: boolean): Group | null {
  const { random } = draft
  const isRekeying = !isCogrouped && random.chance(0.35)
  if (!claimRepartition(draft, isRekeying ? { ...on, isRekeyed: true, belowKeyChangers: [] } : on)) return null
  const { name, type: key } = isRekeying
    ? functions.selector(random, on.key, on.value)
    : { name: undefined, type: on.key }
  const groupName = isCogrouped && !draft.isCareless ? draft.fresh('group-') : draft.optionalName('group-')
  const isInherited = groupName === undefined && !isRekeying && random.chance(0.4)
  const keySerde = isInherited ? undefined : draft.keySerde(key, false)
  const valueSerde = isInherited ? undefined : draft.valueSerde(on.value, false)
  // Without a Grouped the stream's serdes count; where they are not known one has to be given.
  if (isInherited && !draft.hasSerdes(on)) return groupOf(draft, on, isCogrouped)
  const grouped = present({ name: groupName, keySerde, valueSerde })
  const isGiven = Object.keys(grouped).length > 0
  const id = draft.step(isRekeying ? 'groupBy' : 'groupByKey', {
    on: on.id,
    selector: name,
    grouped: isGiven ? grouped : undefined,
  })
  return {
    id,
    key,
    value: on.value,
    isKeySerdeKnown: keySerde !== undefined || (!isGiven && !isRekeying && on.isKeySerdeKnown),
    isValueSerdeKnown: valueSerde !== undefined || (!isGiven && on.isValueSerdeKnown),
  }
}

function cogroup(draft: Draft, first: Group, others: readonly StreamHandle[], chosen: Windows | null): void {
  const { random } = draft
  const aggregate = functions.aggregateType(random, first.value)
  const aggregator = (value: Plain): string => functions.aggregator(random, first.key, value, aggregate)
  let id = draft.step('cogroup', { on: first.id, aggregator: aggregator(first.value) })
  for (const other of others) {
    // One and the same group twice is an error of its own.
    const group = groupOf(draft, other, true)
    if (group === null) continue
    draft.loose.delete(other)
    id = draft.step('cogroup', { on: id, other: group.id, aggregator: aggregator(other.value) })
  }
  if (chosen !== null) id = draft.step('windowedBy', { on: id, windows: chosen.spec })
  finish(draft, { ...first, isKeySerdeKnown: false }, id, chosen, true, aggregate)
}

type Operation = { readonly op: string; readonly value: Plain; readonly isKnown: boolean; readonly fields: Raw }

/** The count, reduce or aggregate at the end of it, and the table that it makes. */
function finish(
  draft: Draft,
  group: Group,
  on: string,
  chosen: Windows | null,
  isCogrouped: boolean,
  aggregate = functions.aggregateType(draft.random, group.value),
): void {
  const { op, value, isKnown, fields } = operation(draft, group, chosen, isCogrouped, aggregate)
  const result: Result = {
    key: group.key,
    value,
    isKeySerdeKnown: group.isKeySerdeKnown,
    isValueSerdeKnown: isKnown,
    canBeVersioned: chosen === null && group.key === 'string',
    ...(chosen === null ? {} : { retentionMs: chosen.retentionMs, mustNotCache: chosen.mustNotCache }),
  }
  const store = materialized(draft, result)
  const id = draft.step(op, { on, ...fields, ...draft.named(op), materialized: store.options })
  draft.addTable({
    id,
    key: chosen === null ? group.key : chosen.keyOf(innerOf(group.key)),
    value,
    isKeySerdeKnown: group.isKeySerdeKnown || store.isKeySerdeGiven,
    isValueSerdeKnown: isKnown || store.isValueSerdeGiven,
    isWindowResult: chosen !== null && chosen.kind !== 'unlimited',
    isUnreadable: isCogrouped && chosen !== null,
    ...(store.historyRetentionMs === undefined ? {} : { historyRetentionMs: store.historyRetentionMs }),
  })
}

function operation(
  draft: Draft,
  { key, value, isValueSerdeKnown }: Group,
  chosen: Windows | null,
  isCogrouped: boolean,
  aggregate: 'string' | 'long',
): Operation {
  const { random } = draft
  const initializer = functions.initializer(random, aggregate)
  const merger: { merger?: Json } = chosen?.kind === 'session' ? { merger: functions.merger(random, aggregate) } : {}
  if (isCogrouped) return { op: 'aggregate', value: aggregate, isKnown: false, fields: { initializer, ...merger } }
  switch (random.pick(['count', 'reduce', 'aggregate'])) {
    case 'count':
      return { op: 'count', value: 'long', isKnown: true, fields: {} }
    case 'reduce':
      return { op: 'reduce', value, isKnown: isValueSerdeKnown, fields: { reducer: functions.reducer(random, value) } }
    default: {
      const aggregator = functions.aggregator(random, key, value, aggregate)
      return { op: 'aggregate', value: aggregate, isKnown: false, fields: { initializer, aggregator, ...merger } }
    }
  }
}
