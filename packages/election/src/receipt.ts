import { createHash } from 'node:crypto'

/** Crockford's base 32: no I, L, O, U, so that a person can read it out. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** Bytes as Crockford base 32; the last character is padded with zero bits. */
export function base32(bytes: Uint8Array): string {
  let text = ''
  let bits = 0
  let buffer = 0
  for (const byte of bytes) {
    buffer = (buffer << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += alphabet[(buffer >> bits) & 31]
    }
    buffer &= (1 << bits) - 1
  }
  return bits > 0 ? text + alphabet[(buffer << (5 - bits)) & 31] : text
}

/** What a person typed, in the form `base32` writes: upper case, no separators, O→0, I and L→1. */
export function normaliseBase32(text: string): string {
  return text.toUpperCase().replace(/[\s-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1')
}

/**
 * The receipt of a ballot: 100 bits derived from the ballot id, in groups of five characters. Ingest hands it to the
 * voter, the tally derives the same from the log, so that neither has to tell the other.
 */
export function receiptFor(ballotId: string): string {
  const text = base32(createHash('sha256').update(`receipt|${ballotId}`).digest().subarray(0, 13)).slice(0, 20)
  return `${text.slice(0, 5)}-${text.slice(5, 10)}-${text.slice(10, 15)}-${text.slice(15)}`
}
