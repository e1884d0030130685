/**
 * A window store's key, as it stands in the store and in the changelog: `key ‖ start(8) ‖ sequence(4)`, big-endian
 * (Kafka Streams' WindowKeySchema). The sequence is 0 where keys are unique per window.
 */
const suffixLength = 12

let lastStartMs = -1
let lastSuffix = ''

export function windowKey(key: string, startMs: number): string {
  if (startMs !== lastStartMs) {
    lastStartMs = startMs
    lastSuffix = `${int64Text(startMs)}\0\0\0\0`
  }
  return key + lastSuffix
}

export function int64Text(value: number): string {
  const high = Math.floor(value / 4294967296)
  return int32Text(high) + int32Text(value - high * 4294967296)
}

const int32Text = (value: number): string =>
  String.fromCharCode((value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff)

export const keyPart = (windowed: string): string => windowed.slice(0, windowed.length - suffixLength)

export function startPart(windowed: string): number {
  const at = windowed.length - suffixLength
  return int32At(windowed, at) * 4294967296 + (int32At(windowed, at + 4) >>> 0)
}

const int32At = (text: string, at: number): number =>
  (text.charCodeAt(at) << 24) |
  (text.charCodeAt(at + 1) << 16) |
  (text.charCodeAt(at + 2) << 8) |
  text.charCodeAt(at + 3)
