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
  read: javaText,
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

/**
 * Bytes that are no UTF-8 become U+FFFD, as many as Java makes of them: of an encoded surrogate (ED A0…BF, and what follows it) it
 * makes one, and the platform's decoder one for each byte.
 */
function javaText(source: Buffer, start: number, end: number): string {
  const text = utf8Slice(source, start, end)
  if (!text.includes('\ufffd')) return text
  let result = ''
  let from = start
  for (let i = start; i + 1 < end; i++) {
    if (source[i] !== 0xed || source[i + 1]! < 0xa0 || source[i + 1]! > 0xbf) continue
    const third = i + 2 < end ? source[i + 2]! : 0
    result += `${utf8Slice(source, from, i)}\ufffd`
    from = i + (third >= 0x80 && third <= 0xbf ? 3 : 2)
    i = from - 1
  }
  return from === start ? text : result + utf8Slice(source, from, end)
}
