/** A scenario file, as the format defines it, and reading its fields: what the format does not define is an error. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [field: string]: Json }

/** A JSON object whose fields are still to be checked. */
export type Raw = { readonly [field: string]: Json }

/** The input names something that the format does not define, or cannot be read: no verdict about the library. */
export class FormatError extends Error {
  override readonly name = 'FormatError'
}

export interface RecordedError {
  readonly phase: 'build' | 'start' | 'run'
  readonly step?: number
  readonly class: string
  readonly message?: string
}

export interface RecordedRecord {
  /** Index of the stimulus that produced it; −1: starting the driver did. */
  readonly after: number
  readonly key: Json
  readonly value: Json
  /** null: the producer was given none. */
  readonly timestamp: number | null
  readonly headers?: readonly Json[]
}

export interface Effect {
  readonly after: number
  readonly id: string | null
  readonly key: Json
  readonly value: Json
}

export interface RecordedStore {
  readonly type: string
  readonly entries: readonly Json[]
}

export interface RecordedTopics {
  readonly [topic: string]: readonly RecordedRecord[]
}

/** What a run of a scenario did: Java's (`expected`) or ours. */
export interface Recording {
  readonly error: RecordedError | null
  readonly describe?: string
  readonly outputs?: RecordedTopics
  readonly internal?: RecordedTopics
  readonly effects?: readonly Effect[]
  readonly stores?: { readonly [name: string]: RecordedStore }
  readonly droppedRecords?: number
  readonly streamTime?: number
}

export interface Scenario {
  readonly format: 1
  readonly id: string
  readonly api?: 'dsl' | 'topology'
  readonly config?: Raw
  readonly topics?: { readonly [topic: string]: { readonly keySerde: Json; readonly valueSerde: Json } }
  readonly topology: readonly Raw[]
  readonly input: readonly Raw[]
  readonly expected: Recording
}

export const isObject = (value: unknown): value is Raw =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export function checkFields(raw: Raw, where: string, allowed: readonly string[]): void {
  for (const field of Object.keys(raw)) {
    if (!allowed.includes(field)) throw new FormatError(`${where} has the unknown field "${field}"`)
  }
}

/** The field, or undefined if it is left out; null is as good as left out. */
const optional =
  <T>(kind: string, is: (value: Json) => value is T & Json) =>
  (raw: Raw, field: string): T | undefined => {
    const value = raw[field] ?? null
    if (value === null) return undefined
    if (!is(value)) throw new FormatError(`"${field}" has to be ${kind}, got ${JSON.stringify(value)}`)
    return value
  }

export const text = optional('a string', (value): value is string => typeof value === 'string')
export const flag = optional('true or false', (value): value is boolean => typeof value === 'boolean')
export const object = optional('an object', (value): value is Raw => isObject(value))
export const objects = optional(
  'an array of objects',
  (value): value is Raw[] => Array.isArray(value) && value.every(isObject),
)
export const texts = optional(
  'an array of strings',
  (value): value is string[] => Array.isArray(value) && value.every((item) => typeof item === 'string'),
)

/** A whole number, or one in decimal text; Long.MAX_VALUE is Infinity. */
export function whole(raw: Raw, field: string): number | undefined {
  const value = raw[field] ?? null
  if (value === null) return undefined
  if (typeof value === 'string' && /^-?\d+$/.test(value))
    return value === '9223372036854775807' ? Infinity : Number(value)
  if (typeof value === 'number' && Number.isInteger(value)) return value
  throw new FormatError(`"${field}" has to be a whole number, got ${JSON.stringify(value)}`)
}

/** A field that must be there: `required(text, step, 'topic')`. */
export function required<T>(read: (raw: Raw, field: string) => T | undefined, raw: Raw, field: string): T {
  const value = read(raw, field)
  if (value === undefined) throw new FormatError(`"${field}" is missing in ${JSON.stringify(raw)}`)
  return value
}

/** One of the names that the format gives; another is an error. */
export function oneOf<T extends string>(raw: Raw, field: string, names: readonly T[]): T | undefined {
  const value = text(raw, field)
  if (value === undefined || names.includes(value as T)) return value as T | undefined
  throw new FormatError(`unknown ${field} "${value}": one of ${names.join(', ')}`)
}

/** The entry of a table that a scenario names. */
export function named<T>(kind: string, table: { readonly [name: string]: T }, name: string): T {
  const entry = Object.hasOwn(table, name) ? table[name] : undefined
  if (entry === undefined) throw new FormatError(`unknown ${kind} "${name}"`)
  return entry
}

type Given<T> = { [F in keyof T]?: Exclude<T[F], undefined> }

/** An options object without what was left out: an option that is undefined is not the same as none. */
export const given = <T extends object>(options: T): Given<T> =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Given<T>
