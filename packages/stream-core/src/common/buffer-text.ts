/**
 * Node's per-encoding Buffer methods. They are stable and public on every Buffer but missing from its types; they spare
 * `toString` and `write` a look-up of the encoding per call, which shows on the hot path.
 */
interface TextBuffer {
  latin1Slice(start: number, end: number): string
  utf8Slice(start: number, end: number): string
  latin1Write(text: string, at: number, length: number): number
  utf8Write(text: string, at: number, length: number): number
}

export const latin1Slice = (bytes: Buffer, start: number, end: number): string =>
  (bytes as unknown as TextBuffer).latin1Slice(start, end)

export const utf8Slice = (bytes: Buffer, start: number, end: number): string =>
  (bytes as unknown as TextBuffer).utf8Slice(start, end)

/** Up to here a loop writes faster than a call does. */
export const shortText = 32

/** False if not all of it is ASCII; then what was written means nothing. */
export function asciiWrite(bytes: Buffer, text: string, at: number): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 0x7f) return false
    bytes[at + i] = unit
  }
  return true
}

export const latin1Write = (bytes: Buffer, text: string, at: number): number =>
  (bytes as unknown as TextBuffer).latin1Write(text, at, text.length)

export const utf8Write = (bytes: Buffer, text: string, at: number, maxBytes: number): number =>
  (bytes as unknown as TextBuffer).utf8Write(text, at, maxBytes)

/** Bytes from one buffer into another. */
export function copyBytes(from: Buffer, start: number, end: number, to: Buffer, at: number): void {
  if (end - start > shortText) from.copy(to, at, start, end)
  else for (let i = start; i < end; i++) to[at++] = from[i]!
}
