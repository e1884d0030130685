import { utf8Slice } from '../buffer-text.ts'
import { wrongType } from './refusal.ts'
import type { Serde } from './serde.ts'

/**
 * Kafka Streams' Serdes.String: UTF-8, without a length and without a byte order mark (one that is there is kept).
 *
 * Writing throws a TypeError for what is no string. Reading never throws: as in Java, each malformed sequence becomes
 * U+FFFD.
 */
// The two differ where text is no text. A lone surrogate is written as U+FFFD (EF BF BD), as Node and the Web do; Java
// writes '?' (3F). A surrogate that somebody encoded is read as three U+FFFD; Java reads one. Looking for them would cost
// a pass over every string. Whoever may get such text calls `toWellFormed()` on it before it becomes a key.
export const string = (): Serde<string> => stringSerde
const stringSerde: Serde<string> = {
  name: 'string',
  immutable: true,
  write(value, out) {
    if (typeof value !== 'string') throw wrongType('string', 'a string', value)
    out.writeUtf8(value)
  },
  read: (source, start, end) => utf8Slice(source, start, end),
  // The bytes of ASCII are its characters.
  toLatin1: (value) => (typeof value === 'string' && isAscii(value) ? value : null),
  fromLatin1: (text) => (isAscii(text) ? text : null),
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}
