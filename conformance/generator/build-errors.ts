import type { Json, Raw } from '../runner/format.ts'
import type { Draft } from './draft.ts'

type Mutable = { [field: string]: Json }

/** Breaks one thing that Java refuses while the topology is built; false: this topology has nothing of the kind. */
export function breakSomething(draft: Draft): boolean {
  return draft.random.pick(breakages)(draft)
}

/** A copy of one of the objects anywhere in the steps gets other fields. */
function change(draft: Draft, fits: (object: Raw) => boolean, fields: (object: Raw) => Raw): boolean {
  const steps = structuredClone(draft.steps) as Mutable[]
  const found = objectsIn(steps).filter(fits)
  if (found.length === 0) return false
  const object = draft.random.pick(found)
  Object.assign(object, fields(object))
  draft.steps.splice(0, Infinity, ...steps)
  return true
}

function objectsIn(value: Json): Mutable[] {
  if (value === null || typeof value !== 'object') return []
  const inner = Object.values(value).flatMap(objectsIn)
  return Array.isArray(value) ? inner : [value as Mutable, ...inner]
}

const has =
  (field: string) =>
  (object: Raw): boolean =>
    typeof object[field] === 'string' || typeof object[field] === 'number'

const breakages: readonly ((draft: Draft) => boolean)[] = [
  (draft) =>
    change(draft, has('named'), () => ({ named: draft.random.pick(['', '.', '..', 'a b', 'é', 'x'.repeat(250)]) })),
  (draft) => change(draft, has('retentionMs'), () => ({ retentionMs: draft.random.pick([0, 1]) })),
  (draft) =>
    change(draft, has('advanceMs'), ({ sizeMs }) => ({
      advanceMs: draft.random.pick([0, -1, (sizeMs as number) + 1]),
    })),
  (draft) =>
    change(
      draft,
      (object) => object['type'] === 'session' && has('gapMs')(object),
      () => ({ gapMs: draft.random.pick([0, -1]) }),
    ),
  (draft) =>
    change(
      draft,
      (part) => part['type'] === 'time',
      () => ({ sizeMs: draft.random.pick([0, -1]) }),
    ),
  (draft) => change(draft, has('differenceMs'), () => ({ differenceMs: -1 })),
  (draft) => change(draft, has('graceMs'), () => ({ graceMs: draft.random.pick([-1, 1_000_000_000]) })),
  (draft) => change(draft, has('beforeMs'), () => ({ beforeMs: -1_000_000_000 })),
  (draft) => change(draft, has('historyRetentionMs'), () => ({ historyRetentionMs: -1 })),
  (draft) => change(draft, has('windowSizeMs'), ({ windowSizeMs }) => ({ windowSizeMs: (windowSizeMs as number) + 1 })),
  (draft) => change(draft, has('windowSizeMs'), () => ({ retainDuplicates: false })),
  (draft) => change(draft, has('stores'), () => ({ stores: ['unknown'] })),
  (draft) =>
    change(
      draft,
      ({ parents }) => Array.isArray(parents),
      () => ({ parents: [draft.random.pick(['unknown', 'sink-1'])] }),
    ),
  (draft) => change(draft, has('limitMs'), () => ({ type: 'untilWindowCloses', buffer: {} })),
  (draft) =>
    change(
      draft,
      ({ op }) => op === 'table',
      () => ({ topic: draft.inputs[0]!.name }),
    ),
  (draft) => sameName(draft, 'named'),
  (draft) => sameName(draft, 'name'),
]

/** Two things get one name. */
function sameName(draft: Draft, field: string): boolean {
  const names = objectsIn(draft.steps)
    .filter(has(field))
    .map((object) => object[field]!)
  if (new Set(names).size < 2) return false
  return change(draft, has(field), () => ({ [field]: draft.random.pick(names) }))
}
