/**
 * MurmurHash3, x64, 128 bits, as Kafka Streams hashes the left values of a foreign-key join
 * (org.apache.kafka.streams.state.internals.Murmur3#hash128 with its default seed). 64-bit words are two 32-bit halves, for
 * a BigInt per step costs more than the whole hash. Verified with the vectors in test/common/murmur3.test.ts.
 */
const defaultSeed = 104729

/** Halves of a 64-bit word: results of the helpers below. */
let hi = 0
let lo = 0

/** Sixteen bytes: h1 ‖ h2, big-endian. */
export function murmur3Hash128(bytes: Uint8Array, seed = defaultSeed): Buffer {
  let h1Hi = 0
  let h1Lo = seed
  let h2Hi = 0
  let h2Lo = seed
  const blocks = bytes.length >> 4

  const mixK1 = (kHi: number, kLo: number): void => {
    multiply(kHi, kLo, 0x87c37b91, 0x114253d5)
    rotateLeft(hi, lo, 31)
    multiply(hi, lo, 0x4cf5ad43, 0x2745937f)
    h1Hi ^= hi
    h1Lo ^= lo
  }
  const mixK2 = (kHi: number, kLo: number): void => {
    multiply(kHi, kLo, 0x4cf5ad43, 0x2745937f)
    rotateLeft(hi, lo, 33)
    multiply(hi, lo, 0x87c37b91, 0x114253d5)
    h2Hi ^= hi
    h2Lo ^= lo
  }

  for (let block = 0; block < blocks; block++) {
    const at = block << 4
    mixK1(word(bytes, at + 4, 4), word(bytes, at, 4))
    rotateLeft(h1Hi, h1Lo, 27)
    add(hi, lo, h2Hi, h2Lo)
    multiply(hi, lo, 0, 5)
    add(hi, lo, 0, 0x52dce729)
    h1Hi = hi
    h1Lo = lo
    mixK2(word(bytes, at + 12, 4), word(bytes, at + 8, 4))
    rotateLeft(h2Hi, h2Lo, 31)
    add(hi, lo, h1Hi, h1Lo)
    multiply(hi, lo, 0, 5)
    add(hi, lo, 0, 0x38495ab5)
    h2Hi = hi
    h2Lo = lo
  }

  const tail = blocks << 4
  const left = bytes.length - tail
  if (left > 8) mixK2(word(bytes, tail + 12, left - 12), word(bytes, tail + 8, Math.min(left - 8, 4)))
  if (left > 0) mixK1(word(bytes, tail + 4, Math.min(left - 4, 4)), word(bytes, tail, Math.min(left, 4)))

  h1Lo ^= bytes.length
  h2Lo ^= bytes.length
  add(h1Hi, h1Lo, h2Hi, h2Lo)
  h1Hi = hi
  h1Lo = lo
  add(h2Hi, h2Lo, h1Hi, h1Lo)
  h2Hi = hi
  h2Lo = lo
  finish(h1Hi, h1Lo)
  h1Hi = hi
  h1Lo = lo
  finish(h2Hi, h2Lo)
  h2Hi = hi
  h2Lo = lo
  add(h1Hi, h1Lo, h2Hi, h2Lo)
  h1Hi = hi
  h1Lo = lo
  add(h2Hi, h2Lo, h1Hi, h1Lo)
  const hash = Buffer.allocUnsafe(16)
  hash.writeInt32BE(h1Hi | 0, 0)
  hash.writeInt32BE(h1Lo | 0, 4)
  hash.writeInt32BE(hi | 0, 8)
  hash.writeInt32BE(lo | 0, 12)
  return hash
}

/** Up to four bytes, the first one lowest. */
function word(bytes: Uint8Array, at: number, count: number): number {
  let value = 0
  for (let i = 0; i < count; i++) value |= bytes[at + i]! << (8 * i)
  return value
}

function finish(aHi: number, aLo: number): void {
  multiply(aHi, aLo ^ (aHi >>> 1), 0xff51afd7, 0xed558ccd)
  multiply(hi, lo ^ (hi >>> 1), 0xc4ceb9fe, 0x1a85ec53)
  lo ^= hi >>> 1
}

function add(aHi: number, aLo: number, bHi: number, bLo: number): void {
  const low = (aLo >>> 0) + (bLo >>> 0)
  lo = low | 0
  hi = (aHi + bHi + (low > 0xffffffff ? 1 : 0)) | 0
}

function multiply(aHi: number, aLo: number, bHi: number, bLo: number): void {
  const a0 = aLo & 0xffff
  const a1 = aLo >>> 16
  const b0 = bLo & 0xffff
  const b1 = bLo >>> 16
  const p00 = Math.imul(a0, b0) >>> 0
  const p01 = a0 * b1
  const p10 = a1 * b0
  const middle = (p00 >>> 16) + (p01 & 0xffff) + (p10 & 0xffff)
  const carry = a1 * b1 + Math.floor(p01 / 65536) + Math.floor(p10 / 65536) + (middle >>> 16)
  const low = ((middle & 0xffff) << 16) | (p00 & 0xffff)
  hi = ((carry | 0) + Math.imul(aHi, bLo) + Math.imul(aLo, bHi)) | 0
  lo = low | 0
}

function rotateLeft(aHi: number, aLo: number, bits: number): void {
  if (bits >= 32) {
    const swapped = aHi
    aHi = aLo
    aLo = swapped
    bits -= 32
  }
  if (bits === 0) {
    hi = aHi
    lo = aLo
    return
  }
  hi = (aHi << bits) | (aLo >>> (32 - bits))
  lo = (aLo << bits) | (aHi >>> (32 - bits))
}
