/**
 * Keys of window and session stores, as they stand in the store and in the changelog, big-endian (Kafka Streams'
 * WindowKeySchema and SessionKeySchema):
 *
 *   window    key ‖ start(8) ‖ sequence(4)    the sequence is 0 where keys are unique per window
 *   session   key ‖ end(8) ‖ start(8)
 */
export const windowSuffixLength = 12
export const sessionSuffixLength = 16

let lastStartMs = -1
let lastSuffix = ''
let lastKey: string | null = null
let lastStored = ''

export function windowKey(key: string, startMs: number, sequence = 0): string {
  if (sequence !== 0) return key + int64Text(startMs) + int32Text(sequence)
  if (startMs !== lastStartMs) {
    lastStartMs = startMs
    lastSuffix = `${int64Text(startMs)}\0\0\0\0`
  } else if (key === lastKey) {
    // The same string again: a Map need not put it together and hash it anew.
    return lastStored
  }
  lastKey = key
  return (lastStored = key + lastSuffix)
}

export const sessionKey = (key: string, startMs: number, endMs: number): string =>
  key + int64Text(endMs) + int64Text(startMs)

export function int64Text(value: number): string {
  const high = Math.floor(value / 4294967296)
  return int32Text(high) + int32Text(value - high * 4294967296)
}

export const int32Text = (value: number): string =>
  String.fromCharCode((value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff)

export const windowKeyPart = (stored: string): string => stored.slice(0, stored.length - windowSuffixLength)
export const sessionKeyPart = (stored: string): string => stored.slice(0, stored.length - sessionSuffixLength)

export const windowStart = (stored: string): number => int64At(stored, stored.length - windowSuffixLength)
export const sessionStart = (stored: string): number => int64At(stored, stored.length - 8)
export const sessionEnd = (stored: string): number => int64At(stored, stored.length - 16)

export const int64At = (text: string, at: number): number =>
  int32At(text, at) * 4294967296 + (int32At(text, at + 4) >>> 0)

const byBytes = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Order of windows by time, then by key: the bytes of one key may be the beginning of another's. */
export const byStartAndKey = (a: string, b: string): number =>
  windowStart(a) - windowStart(b) || byBytes(windowKeyPart(a), windowKeyPart(b)) || byBytes(a, b)

/** The same for sessions. */
export const byEndStartAndKey = (a: string, b: string): number =>
  sessionEnd(a) - sessionEnd(b) || sessionStart(a) - sessionStart(b) || byBytes(sessionKeyPart(a), sessionKeyPart(b))

const int32At = (text: string, at: number): number =>
  (text.charCodeAt(at) << 24) |
  (text.charCodeAt(at + 1) << 16) |
  (text.charCodeAt(at + 2) << 8) |
  text.charCodeAt(at + 3)
