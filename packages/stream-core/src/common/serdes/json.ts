import { utf8Slice } from '../buffer-text.ts'
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
export const json = <T>(): Serde<T> => jsonSerde as Serde<T>
const jsonSerde: Serde<unknown> = {
  name: 'json',
  write(value, out) {
    const text = JSON.stringify(value) as string | undefined
    if (text === undefined) throw wrongType('json', 'a value with a JSON form', value)
    // Looking at the text is cheap; few values have one of these in it.
    if (text.includes('{}') || text.includes('null')) refuseLosses(value, '')
    out.writeUtf8(text)
  },
  read: (source, start, end) => JSON.parse(utf8Slice(source, start, end)),
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
