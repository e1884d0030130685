import { latin1Slice, utf8Slice } from './buffer-text.ts'

const size = 1024
/** Longer ones seldom come again. */
const lengthMax = 24

/**
 * Texts out of bytes, the short ones of which come again and again: one that was seen lately is not made anew. Bytes beyond
 * ASCII are UTF-8.
 */
export class ShortTexts {
  readonly #seen: string[] = Array.from({ length: size }, () => '')

  get(bytes: Buffer, start: number, end: number): string {
    const length = end - start
    if (length > lengthMax) return utf8Slice(bytes, start, end)
    let hash = length
    for (let at = start; at < end; at++) {
      const byte = bytes[at]!
      if (byte > 0x7f) return utf8Slice(bytes, start, end)
      hash = Math.imul(hash ^ byte, 0x01000193)
    }
    const slot = (hash ^ (hash >>> 15)) & (size - 1)
    const seen = this.#seen[slot]!
    if (seen.length === length && isText(bytes, start, seen)) return seen
    return (this.#seen[slot] = latin1Slice(bytes, start, end))
  }
}

function isText(bytes: Buffer, start: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text.charCodeAt(i)) return false
  return true
}
