import type {
  CogroupAggregateOptions,
  CogroupedKStream,
  GlobalKTable,
  KGroupedStream,
  KGroupedTable,
  KStream,
  KTable,
  SessionCogroupAggregateOptions,
  SessionWindowedKStream,
  StreamsBuilder,
  TimeWindowedKStream,
  WindowedCogroupedKStream,
} from 'stream-core'
import type { EffectLog } from './effect-log.ts'
import { FormatError, type Raw, required, text } from './format.ts'
import type { Value } from './values.ts'

/** What a step's id stands for, by kind: the kind decides which operations there are. */
export interface HandleTypes {
  readonly stream: KStream<Value, Value>
  readonly table: KTable<Value, Value>
  readonly globalTable: GlobalKTable<Value, Value>
  readonly groupedStream: KGroupedStream<Value, Value>
  readonly groupedTable: KGroupedTable<Value, Value>
  readonly timeWindowed: TimeWindowedKStream<Value, Value>
  readonly sessionWindowed: SessionWindowedKStream<Value, Value>
  readonly cogrouped: CogroupedKStream<Value, Value>
  readonly timeWindowedCogrouped: WindowedCogroupedKStream<Value, Value, CogroupAggregateOptions<Value, Value>>
  readonly sessionWindowedCogrouped: WindowedCogroupedKStream<
    Value,
    Value,
    SessionCogroupAggregateOptions<Value, Value>
  >
}

export type Handle = {
  readonly [K in keyof HandleTypes]: { readonly kind: K; readonly it: HandleTypes[K] }
}[keyof HandleTypes]

/** The library's generics would follow every mapper; scenarios know only values. */
export const handle = <K extends keyof HandleTypes>(kind: K, it: unknown): Handle => ({ kind, it }) as Handle
export const streamHandle = (it: unknown): Handle => handle('stream', it)
export const tableHandle = (it: unknown): Handle => handle('table', it)

/** The overloads of a join, chosen by what `other` is and not by its type. */
export type Join = (other: unknown, joiner: unknown, options: unknown) => unknown

export interface Build {
  readonly builder: StreamsBuilder
  readonly handles: Map<string, Handle>
  readonly effects: EffectLog
  /** Of the configuration: for sources that name none. */
}

export interface Operation<T> {
  /** Fields besides `id`, `op` and `on`. */
  readonly fields: readonly string[]
  readonly apply: (it: T, step: Raw, build: Build) => Handle | null
}

export interface Operations<T> {
  readonly [op: string]: Operation<T>
}

export function find(build: Build, id: string): Handle {
  const found = build.handles.get(id)
  if (found === undefined) throw new FormatError(`there is no step "${id}"`)
  return found
}

export const other = (build: Build, step: Raw): Handle => find(build, required(text, step, 'other'))

/** The second input of a step, which has to be of one kind. */
export function otherOf<K extends keyof HandleTypes>(build: Build, step: Raw, kind: K): HandleTypes[K] {
  const found = other(build, step)
  if (found.kind !== kind) throw new FormatError(`"${step['other'] as string}" is a ${found.kind}, not a ${kind}`)
  return found.it as HandleTypes[K]
}
