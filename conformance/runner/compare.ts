import type { Effect, Json, RecordedRecord, RecordedStore, RecordedTopics, Recording } from './format.ts'

/** The first place where two recordings differ. */
export interface Divergence {
  readonly place: string
  readonly expected: unknown
  readonly got: unknown
}

type Found = Divergence | null

/**
 * Compares a recording of ours with Java's, in the order of format §9: error, describe, then stimulus by stimulus what was
 * produced, then what remains at the end. `wholeChangelogs`: those that must be equal record by record; of the others only
 * the last record of each key and stimulus counts.
 */
export function compareRecordings(expected: Recording, got: Recording, wholeChangelogs: ReadonlySet<string>): Found {
  return (
    compareErrors(expected, got) ??
    compareDescriptions(expected.describe, got.describe) ??
    compareStimuli(expected, got, wholeChangelogs) ??
    (expected.stores === undefined ? null : compareStores(expected.stores, got.stores ?? {})) ??
    compareJson('droppedRecords', expected.droppedRecords, got.droppedRecords) ??
    compareJson('streamTime', expected.streamTime, got.streamTime)
  )
}

function compareJson(place: string, expected: unknown, got: unknown): Found {
  return JSON.stringify(expected ?? null) === JSON.stringify(got ?? null)
    ? null
    : { place, expected: expected ?? null, got: got ?? null }
}

function compareErrors({ error: expected }: Recording, { error: got }: Recording): Found {
  const comparable = (error: Recording['error']): unknown => error && [error.phase, error.step, error.class]
  return compareJson('error', comparable(expected), comparable(got)) && { place: 'error', expected, got }
}

/** Names the first line that differs: the whole text twice would hide it. */
function compareDescriptions(expected: string | undefined, got: string | undefined): Found {
  if (expected === undefined || expected === got) return null
  const [expectedLines, lines] = [expected.split('\n'), (got ?? '').split('\n')]
  for (let i = 0; i < Math.max(expectedLines.length, lines.length); i++) {
    const found = compareJson(`describe[${i}]`, expectedLines[i], lines[i])
    if (found !== null) return found
  }
  return null
}

function compareStimuli(expected: Recording, got: Recording, wholeChangelogs: ReadonlySet<string>): Found {
  const outputs = [byStimulus(expected.outputs), byStimulus(got.outputs)] as const
  const internal = [byStimulus(expected.internal, wholeChangelogs), byStimulus(got.internal, wholeChangelogs)] as const
  const last = Math.max(
    ...[...outputs, ...internal].map((topics) => topics.last),
    lastEffect(expected),
    lastEffect(got),
  )
  for (let after = -1; after <= last; after++) {
    const found =
      compareTopics('outputs', after, ...outputs) ??
      compareEffects(after, expected.effects ?? [], got.effects ?? []) ??
      compareTopics('internal', after, ...internal)
    if (found !== null) return found
  }
  return null
}

const lastEffect = ({ effects = [] }: Recording): number => effects.at(-1)?.after ?? -1

/** A record with its place in the whole topic. */
type Placed = readonly [index: number, record: RecordedRecord]

interface StimulusTopics {
  readonly last: number
  readonly names: readonly string[]
  readonly records: (topic: string, after: number) => readonly Placed[]
}

function byStimulus(topics: RecordedTopics = {}, wholeChangelogs: ReadonlySet<string> | null = null): StimulusTopics {
  const groups = new Map<string, Placed[]>()
  let last = -1
  for (const [topic, records] of Object.entries(topics)) {
    for (const [index, record] of records.entries()) {
      const group = groups.get(`${record.after} ${topic}`)
      if (group) group.push([index, record])
      else groups.set(`${record.after} ${topic}`, [[index, record]])
      last = Math.max(last, record.after)
    }
  }
  const isThinned = (topic: string): boolean =>
    wholeChangelogs !== null && topic.endsWith('-changelog') && !wholeChangelogs.has(topic)
  return {
    last,
    names: Object.keys(topics),
    records(topic, after) {
      const group = groups.get(`${after} ${topic}`) ?? []
      return isThinned(topic) ? lastOfEachKey(group) : group
    },
  }
}

/** The one freedom: an implementation may write a key's state once for each commit, and in any order. */
function lastOfEachKey(records: readonly Placed[]): readonly Placed[] {
  const byKey = new Map<string, Placed>()
  for (const placed of records) byKey.set(hexKey(placed), placed)
  return [...byKey.values()].sort((a, b) => (hexKey(a) < hexKey(b) ? -1 : 1))
}

/** Lower-case hex sorts as its bytes do; a null key comes first, before an empty one. */
const hexKey = ([, { key }]: Placed): string => (key === null ? '' : `k${key as string}`)

function compareTopics(
  kind: 'outputs' | 'internal',
  after: number,
  expected: StimulusTopics,
  got: StimulusTopics,
): Found {
  for (const topic of [...new Set([...expected.names, ...got.names])].sort()) {
    const [expectedRecords, records] = [expected.records(topic, after), got.records(topic, after)]
    for (let i = 0; i < Math.max(expectedRecords.length, records.length); i++) {
      const [[index, wanted] = [], [ownIndex, record] = []] = [expectedRecords[i], records[i]]
      const place = `${kind}.${topic}[${index ?? ownIndex}]`
      const found = compareRecords(place, ` (after ${after})`, wanted, record)
      if (found !== null) return found
    }
  }
  return null
}

function compareRecords(
  place: string,
  when: string,
  expected: RecordedRecord | undefined,
  got: RecordedRecord | undefined,
): Found {
  if (expected === undefined || got === undefined) return compareJson(place + when, expected, got)
  return (
    compareJson(`${place}.key${when}`, expected.key, got.key) ??
    compareJson(`${place}.value${when}`, expected.value, got.value) ??
    compareJson(`${place}.timestamp${when}`, expected.timestamp, got.timestamp) ??
    compareJson(`${place}.headers${when}`, expected.headers ?? [], got.headers ?? [])
  )
}

function compareEffects(after: number, expected: readonly Effect[], got: readonly Effect[]): Found {
  const [wanted, own] = [expected, got].map((all) =>
    [...all.entries()].filter(([, effect]) => effect.after === after),
  ) as [[number, Effect][], [number, Effect][]]
  for (let i = 0; i < Math.max(wanted.length, own.length); i++) {
    const place = `effects[${(wanted[i] ?? own[i])![0]}]`
    const [a, b] = [wanted[i]?.[1], own[i]?.[1]]
    if (a === undefined || b === undefined) return compareJson(`${place} (after ${after})`, a, b)
    for (const field of ['id', 'key', 'value'] as const) {
      const found = compareJson(`${place}.${field} (after ${after})`, a[field], b[field])
      if (found !== null) return found
    }
  }
  return null
}

type Stores = { readonly [name: string]: RecordedStore }

function compareStores(expected: Stores, got: Stores): Found {
  for (const name of [...new Set([...Object.keys(expected), ...Object.keys(got)])].sort()) {
    const [wanted, own] = [expected[name], got[name]]
    if (wanted === undefined || own === undefined) return compareJson(`stores.${name}`, wanted, own)
    const found =
      compareJson(`stores.${name}.type`, wanted.type, own.type) ??
      compareEntries(`stores.${name}.entries`, wanted.entries, own.entries)
    if (found !== null) return found
  }
  return null
}

function compareEntries(place: string, expected: readonly Json[], got: readonly Json[]): Found {
  for (let i = 0; i < Math.max(expected.length, got.length); i++) {
    const found = compareJson(`${place}[${i}]`, expected[i], got[i])
    if (found !== null) return found
  }
  return null
}
