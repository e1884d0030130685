import { utf8Slice } from '../buffer-text.ts'
import { ArgumentError } from '../errors.ts'
import { jsonFields } from './json-fields.ts'
import { wrongType } from './refusal.ts'
import type { Serde } from './serde.ts'

/**
 * JSON text in UTF-8. Values are shared with nobody: each read parses anew. The type is the caller's promise; `schema()`
 * checks it.
 *
 * The bytes are JSON.stringify's: −0 becomes 0, a Date its ISO text (read back, it is a text), and members without a JSON form are left
 * out. Lone surrogates are escaped, so every string comes back as it was.
 *
 * Writing throws a TypeError for what has no JSON form (undefined, functions, symbols, bigints, cycles), and for what JSON.stringify
 * would lose: NaN and ±Infinity, which it makes null, and a Map, a Set, a promise and whatever else it makes `{}`. Reading throws
 * JSON.parse's SyntaxError, which quotes the text.
 */
export const json = <T>(): JsonSerde<T> => jsonSerde as unknown as JsonSerde<T>

export interface JsonSerde<T> extends Serde<T> {
  /**
   * Reads only these members: `json<Vote>().pick('poll', 'option')`. The rest of an object is checked and passed over, which costs a
   * fraction of reading it. What is written are the members that a value has. Where a value is not an object it is read as it is.
   *
   * A value that is handed on unchanged goes into a repartition topic as it came, with all its members; one that is stored has
   * the picked ones. Throws an ArgumentError for no fields, one that comes twice, and `__proto__`.
   */
  pick<F extends keyof T & string>(...fields: readonly F[]): Serde<Pick<T, F>>
}

const jsonSerde: JsonSerde<{ readonly [field: string]: unknown }> = {
  name: 'json',
  pick(...fields) {
    const bad = fields.find((field, i) => field === '__proto__' || fields.indexOf(field) !== i)
    if (fields.length === 0) throw new ArgumentError('fields', 'pick reads no field: name those that are used')
    if (bad !== undefined)
      throw new ArgumentError('fields', `pick cannot read "${bad}" ${bad === '__proto__' ? '' : 'twice'}`)
    return jsonFields(jsonSerde, fields) as never
  },
  write(value, out) {
    const text = JSON.stringify(value) as string | undefined
    if (text === undefined) throw wrongType('json', 'a value with a JSON form', value)
    // Looking at the text is cheap; few values have one of these in it.
    if (text.includes('{}') || text.includes('null')) refuseLosses(value, '')
    out.writeUtf8(text)
  },
  read: (source, start, end) => JSON.parse(utf8Slice(source, start, end)) as { readonly [field: string]: unknown },
}

function refuseLosses(value: unknown, path: string): void {
  if (typeof value === 'number' && !Number.isFinite(value)) throw loss(value, path)
  if (typeof value !== 'object' || value === null) return
  if (typeof (value as { readonly toJSON?: unknown }).toJSON === 'function') return
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) refuseLosses(item, `${path}[${index}]`)
    return
  }
  const entries = Object.entries(value)
  if (entries.length === 0 && !isPlain(value)) throw loss(value, path)
  for (const [name, member] of entries) refuseLosses(member, `${path}.${name}`)
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

const loss = (value: unknown, path: string): TypeError =>
  wrongType('json', 'what JSON can hold', value, path === '' ? '' : ` at value${path}`)
