/** Control characters, and those that turn the direction of text: what a terminal would obey instead of show. */
// oxlint-disable-next-line no-control-regex
const unprintable = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g

/** Text from a log, of which nobody knows what is in it, for a terminal: one line, of bounded length. */
export function printable(text: string, charsMax = 300): string {
  const short = text.length > charsMax ? `${text.slice(0, charsMax)}… (${text.length} characters)` : text
  return short.replace(unprintable, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Bytes as text where they are text, else in hexadecimal. */
export function printableBytes(bytes: Buffer | null, charsMax = 300): string {
  if (bytes === null) return 'null'
  const text = bytes.toString()
  if (Buffer.from(text).equals(bytes)) return printable(JSON.stringify(text), charsMax)
  const hex = bytes.toString('hex', 0, charsMax / 2)
  return `0x${hex}${bytes.length * 2 > hex.length ? `… (${bytes.length} bytes)` : ''}`
}

/** Columns of equal width; numbers to the right. */
export function table(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  charsMax = 300,
): string {
  const cells = [
    head,
    ...rows.map((row) => row.map((cell) => (typeof cell === 'number' ? String(cell) : printable(cell, charsMax)))),
  ]
  const widths = head.map((_, i) => Math.max(...cells.map((row) => row[i]!.length)))
  const isNumber = head.map((_, i) => rows.some((row) => typeof row[i] === 'number'))
  return cells
    .map((row) =>
      row
        .map((cell, i) => (isNumber[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
