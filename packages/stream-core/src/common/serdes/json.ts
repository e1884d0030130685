import { utf8Slice } from '../buffer-text.ts'
import { wrongType } from './refusal.ts'
import type { Serde } from './serde.ts'

/**
 * JSON text in UTF-8. Values are shared with nobody: each read parses anew. The type is the caller's promise; `schema()`
 * checks it.
 *
 * The bytes are JSON.stringify's: NaN and ±Infinity become null, −0 becomes 0, a Date its ISO text, and members without a
 * JSON form are left out. Lone surrogates are escaped, so every string comes back as it was.
 *
 * Writing throws a TypeError for what has no JSON form (undefined, functions, symbols, bigints, cycles, promises). Reading throws
 * JSON.parse's SyntaxError, which quotes the text.
 */
export const json = <T>(): Serde<T> => jsonSerde as Serde<T>
const jsonSerde: Serde<unknown> = {
  name: 'json',
  write(value, out) {
    const text = JSON.stringify(value) as string | undefined
    // A promise would be {}.
    if (text === undefined || value instanceof Promise) throw wrongType('json', 'a value with a JSON form', value)
    out.writeUtf8(text)
  },
  read: (source, start, end) => JSON.parse(utf8Slice(source, start, end)),
}
