import { aggregate } from './aggregate-steps.ts'
import type { Draft } from './draft.ts'
import { process, processValues } from './process-steps.ts'
import * as sources from './source-steps.ts'
import * as joins from './stream-joins.ts'
import * as streams from './stream-steps.ts'
import * as tables from './table-steps.ts'

const streamSteps: readonly (readonly [number, streams.StreamStep])[] = [
  [2, streams.filter],
  [2, streams.mapValues],
  [1, streams.flatMapValues],
  [2, streams.selectKey],
  [2, streams.map],
  [1, streams.peek],
  [0.5, streams.foreach],
  [1.5, streams.split],
  [2, streams.merge],
  [1.5, streams.repartition],
  [2.5, streams.toTable],
  [0.7, streams.to],
  [0.6, (draft, on) => (sources.loop(draft, on), true)],
  [4, joins.joinStream],
  [4, joins.joinTable],
  [2, joins.joinGlobalTable],
  [8, aggregate],
  [3, process],
  [2.5, processValues],
]

const tableSteps: readonly (readonly [number, tables.TableStep])[] = [
  [2, tables.filter],
  [2, tables.mapValues],
  [2, tables.transformValues],
  [2, tables.toStream],
  [4, tables.suppress],
  [4, tables.joinTable],
  [4, tables.joinForeignKey],
  [4, tables.groupBy],
]

/** A topology of the DSL: some sources, some steps on what there is, and a sink for whatever nobody reads. */
export function dslTopology(draft: Draft): void {
  const { random } = draft
  addSources(draft)
  for (let left = random.whole(1, 8); left > 0; left--) if (!addStep(draft)) left++
  for (const handle of draft.loose) {
    const stream = handle.kind === 'table' ? tables.streamOf(draft, handle) : handle
    streams.to(draft, stream)
  }
}

function addSources(draft: Draft): void {
  const { random } = draft
  if (random.chance(0.15)) sources.globalTable(draft)
  if (random.chance(0.08)) sources.globalStore(draft)
  // Sources of the same types, so that they can be joined and merged.
  const key = random.maybe(0.8, () => 'string' as const)
  const value = random.maybe(0.6, () => 'string' as const)
  const types = { ...(key === undefined ? {} : { key }), ...(value === undefined ? {} : { value }) }
  const count = random.weighted([
    [3, 1],
    [4, 2],
    [2, 3],
  ])
  for (let i = 0; i < count; i++) (random.chance(0.6) ? sources.stream : sources.table)(draft, types)
}

function addStep(draft: Draft): boolean {
  const { random } = draft
  const isOnTable = draft.tables.length > 0 && (draft.streams.length === 0 || random.chance(0.45))
  if (isOnTable) return random.weighted(tableSteps)(draft, recent(draft, draft.tables))
  return random.weighted(streamSteps)(draft, recent(draft, draft.streams))
}

/** Mostly the newest: chains are longer than they are wide. */
const recent = <T>({ random }: Draft, handles: readonly T[]): T =>
  random.chance(0.5) ? handles.at(-1)! : random.pick(handles)
