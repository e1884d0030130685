import { latin1Slice, utf8Slice } from '../buffer-text.ts'
import { ShortTexts } from '../short-texts.ts'
import type { Serde } from './serde.ts'

/**
 * A JSON object of which only some members are wanted: the others are checked and passed over without becoming values. What
 * is read, and what is refused, is what JSON.parse reads and refuses; whatever is unusual is left to it (`null`, a list, an escape in
 * a wanted text, objects in wanted members). Wanted members stand in the order in which they were asked for.
 */
export function jsonFields<T>(whole: Serde<T>, fields: readonly string[]): Serde<unknown> {
  const wanted = fields.map((field) => Buffer.from(field))
  const found: unknown[] = fields.map(() => absent)
  const scan = new Scan(wanted, found)
  return {
    name: `json(${fields.map((field) => (/^\w+$/.test(field) ? field : JSON.stringify(field))).join()})`,
    write: (value, out, context) => whole.write(value as T, out, context),
    read(bytes, start, end) {
      if (!scan.object(bytes, start, end)) return picked(JSON.parse(utf8Slice(bytes, start, end)), fields)
      const result: { [field: string]: unknown } = {}
      for (let i = 0; i < fields.length; i++) {
        if (found[i] !== absent) result[fields[i]!] = found[i]
      }
      return result
    },
  }
}

const absent = Symbol('absent')

/** Of what is no object nothing can be picked. */
function picked(parsed: unknown, fields: readonly string[]): unknown {
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return parsed
  const members = parsed as { readonly [field: string]: unknown }
  return Object.fromEntries(
    fields.filter((field) => Object.hasOwn(members, field)).map((field) => [field, members[field]]),
  )
}

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const colon = 0x3a
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d
const minus = 0x2d
const plus = 0x2b
const point = 0x2e
const zero = 0x30
const nine = 0x39
/** Deeper ones are left to JSON.parse, which has the same limit as the stack. */
const depthMax = 64
/** So many digits are exact in a double. */
const exactDigits = 15

/**
 * Goes once through the bytes of an object by the grammar of RFC 8259, and keeps the wanted members. Methods that return a position
 * return −1 for what is left to JSON.parse, which decides whether it is wrong.
 */
class Scan {
  readonly #wanted: readonly Buffer[]
  readonly #found: unknown[]
  readonly #texts = new ShortTexts()
  #bytes: Buffer = Buffer.alloc(0)
  #end = 0

  constructor(wanted: readonly Buffer[], found: unknown[]) {
    this.#wanted = wanted
    this.#found = found
  }

  object(bytes: Buffer, start: number, end: number): boolean {
    this.#bytes = bytes
    this.#end = end
    this.#found.fill(absent)
    let at = this.#blank(start)
    if (bytes[at] !== openBrace) return false
    at = this.#blank(at + 1)
    if (bytes[at] === closeBrace) return this.#blank(at + 1) === end
    let expected = 0
    for (;;) {
      if (bytes[at] !== quote) return false
      const nameEnd = this.#plainText(at + 1)
      if (nameEnd < 0) return false
      const field = this.#fieldOf(at + 1, nameEnd, expected)
      at = this.#blank(nameEnd + 1)
      if (at >= end || bytes[at] !== colon) return false
      at = this.#blank(at + 1)
      at = field < 0 ? this.#skip(at, 0) : this.#keep(at, field)
      if (at < 0) return false
      if (field >= 0) expected = field + 1
      at = this.#blank(at)
      if (at >= end) return false
      if (bytes[at] === closeBrace) return this.#blank(at + 1) === end
      if (bytes[at] !== comma) return false
      at = this.#blank(at + 1)
      if (at >= end) return false
    }
  }

  /** Which of the wanted members has this name; −1: none. Writers seldom change their order, so the next one is tried first. */
  #fieldOf(start: number, end: number, expected: number): number {
    const count = this.#wanted.length
    for (let tried = 0; tried < count; tried++) {
      const field = (expected + tried) % count
      if (this.#isName(start, end, this.#wanted[field]!)) return field
    }
    return -1
  }

  #isName(start: number, end: number, name: Buffer): boolean {
    if (name.length !== end - start) return false
    for (let i = 0; i < name.length; i++) if (this.#bytes[start + i] !== name[i]) return false
    return true
  }

  #keep(at: number, field: number): number {
    const bytes = this.#bytes
    const first = bytes[at]!
    if (first === quote) {
      const end = this.#plainText(at + 1)
      if (end < 0) return -1
      this.#found[field] = this.#texts.get(bytes, at + 1, end)
      return end + 1
    }
    const end = this.#skip(at, 0)
    if (end < 0) return -1
    if (first === minus || (first >= zero && first <= nine)) this.#found[field] = this.#number(at, end)
    else if (first === 0x74) this.#found[field] = true
    else if (first === 0x66) this.#found[field] = false
    else if (first === 0x6e) this.#found[field] = null
    else return -1
    return end
  }

  #number(start: number, end: number): number {
    if (end - start > exactDigits) return Number(latin1Slice(this.#bytes, start, end))
    let value = 0
    for (let at = start; at < end; at++) {
      const digit = this.#bytes[at]! - zero
      if (digit < 0 || digit > 9) return Number(latin1Slice(this.#bytes, start, end))
      value = value * 10 + digit
    }
    return value
  }

  /** Behind any value. */
  #skip(at: number, depth: number): number {
    if (at >= this.#end) return -1
    switch (this.#bytes[at]) {
      case quote:
        return this.#text(at + 1)
      case 0x74:
        return this.#word(at, 0x72, 0x75, 0x65, -1)
      case 0x66:
        return this.#word(at, 0x61, 0x6c, 0x73, 0x65)
      case 0x6e:
        return this.#word(at, 0x75, 0x6c, 0x6c, -1)
      case openBrace:
      case openBracket:
        return this.#nested(at, depth + 1)
      default:
        return this.#numeral(at)
    }
  }

  /** true, false and null, by the bytes behind the first. */
  #word(at: number, b: number, c: number, d: number, e: number): number {
    const bytes = this.#bytes
    const end = at + (e < 0 ? 4 : 5)
    if (end > this.#end || bytes[at + 1] !== b || bytes[at + 2] !== c || bytes[at + 3] !== d) return -1
    return e < 0 || bytes[at + 4] === e ? end : -1
  }

  #nested(at: number, depth: number): number {
    if (depth > depthMax) return -1
    const bytes = this.#bytes
    const isObject = bytes[at] === openBrace
    const close = isObject ? closeBrace : closeBracket
    at = this.#blank(at + 1)
    if (at < this.#end && bytes[at] === close) return at + 1
    for (;;) {
      if (isObject) {
        if (at >= this.#end || bytes[at] !== quote) return -1
        at = this.#text(at + 1)
        if (at < 0) return -1
        at = this.#blank(at)
        if (at >= this.#end || bytes[at] !== colon) return -1
        at = this.#blank(at + 1)
      }
      at = this.#skip(at, depth)
      if (at < 0) return -1
      at = this.#blank(at)
      if (at >= this.#end) return -1
      if (bytes[at] === close) return at + 1
      if (bytes[at] !== comma) return -1
      at = this.#blank(at + 1)
    }
  }

  /** -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][+-]?[0-9]+)? */
  #numeral(at: number): number {
    const bytes = this.#bytes
    if (bytes[at] === minus) at++
    if (at < this.#end && bytes[at] === zero) at++
    else if ((at = this.#digits(at)) < 0) return -1
    if (at < this.#end && bytes[at] === point && (at = this.#digits(at + 1)) < 0) return -1
    if (at < this.#end && (bytes[at]! | 0x20) === 0x65) {
      at++
      if (at < this.#end && (bytes[at] === plus || bytes[at] === minus)) at++
      return this.#digits(at)
    }
    return at
  }

  /** One or more. */
  #digits(at: number): number {
    const first = at
    while (at < this.#end && this.#bytes[at]! >= zero && this.#bytes[at]! <= nine) at++
    return at === first ? -1 : at
  }

  /** Where the closing quote of a text is that has no escapes. */
  #plainText(at: number): number {
    const bytes = this.#bytes
    for (; at < this.#end; at++) {
      const byte = bytes[at]!
      if (byte === quote) return at
      if (byte === backslash || byte < 0x20) return -1
    }
    return -1
  }

  /** Behind a text that nobody wants. */
  #text(at: number): number {
    const bytes = this.#bytes
    for (; at < this.#end; at++) {
      const byte = bytes[at]!
      if (byte === quote) return at + 1
      if (byte < 0x20) return -1
      if (byte !== backslash) continue
      at++
      if (at >= this.#end) return -1
      const escaped = bytes[at]!
      if (escaped === 0x75) {
        for (let digit = 1; digit <= 4; digit++) if (at + digit >= this.#end || !isHex(bytes[at + digit]!)) return -1
        at += 4
      } else if (!isEscape(escaped)) return -1
    }
    return -1
  }

  #blank(at: number): number {
    while (at < this.#end) {
      const byte = this.#bytes[at]!
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break
      at++
    }
    return at
  }
}

const isHex = (byte: number): boolean =>
  (byte >= zero && byte <= nine) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66)

/** " \ / b f n r t */
const isEscape = (byte: number): boolean =>
  byte === quote ||
  byte === backslash ||
  byte === 0x2f ||
  byte === 0x62 ||
  byte === 0x66 ||
  byte === 0x6e ||
  byte === 0x72 ||
  byte === 0x74
