import { utf8Slice } from '../buffer-text.ts'
import { wrongType } from './refusal.ts'
import type { Serde } from './serde.ts'

/**
 * Kafka Streams' Serdes.String: UTF-8, without a length and without a byte order mark (one that is there is kept).
 *
 * Writing throws a TypeError for what is no string; half a surrogate pair is written as '?', as String.getBytes does.
 * Reading never throws: as in Java, each malformed sequence becomes U+FFFD (a surrogate that somebody encoded becomes three
 * of them, in Java one).
 */
export const string = (): Serde<string> => stringSerde
const stringSerde: Serde<string> = {
  name: 'string',
  immutable: true,
  check,
  write(value, out) {
    check(value)
    // Free for text of one byte per character.
    out.writeUtf8(value.isWellFormed() ? value : value.replaceAll(/\p{Surrogate}/gu, '?'))
  },
  read: (source, start, end) => utf8Slice(source, start, end),
  // The bytes of ASCII are its characters.
  toLatin1: (value) => (typeof value === 'string' && isAscii(value) ? value : null),
  fromLatin1: (text) => (isAscii(text) ? text : null),
}

function check(value: unknown): asserts value is string {
  if (typeof value !== 'string') throw wrongType('string', 'a string', value)
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}
