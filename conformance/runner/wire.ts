import { FormatError, isObject, type Json, required, whole } from './format.ts'
import { exactBound, limit } from './long-limits.ts'
import { isDouble, isInteger, isWindowed, long, type Long, longMax, type Value } from './values.ts'

/**
 * Kafka's bytes of a scenario's values, without the library: inputs are encoded and outputs decoded by code that shares no
 * mistake with what is tested.
 */
export function encode(value: Value, serde: Json): Buffer | null {
  if (value === null) return null
  if (isWindowed(value) && isObject(serde)) {
    const isSession = serde['sessionWindowed'] !== undefined
    const key = encode(value.key, serde[isSession ? 'sessionWindowed' : 'timeWindowed'] ?? null)!
    const { start, end } = value.window
    return Buffer.concat([key, ...(isSession ? [longBytes(end), longBytes(start)] : [longBytes(start)])])
  }
  if (serde === 'string' && typeof value === 'string') return Buffer.from(value, 'utf8')
  if (serde === 'bytes' && value instanceof Buffer) return value
  if (serde === 'long' && (typeof value === 'number' || typeof value === 'bigint')) return longBytes(value)
  if (serde === 'integer' && isInteger(value)) {
    const bytes = Buffer.alloc(4)
    bytes.writeInt32BE(value.integer)
    return bytes
  }
  if (serde === 'double' && isDouble(value)) {
    const bytes = Buffer.alloc(8)
    bytes.writeDoubleBE(value.double)
    return bytes
  }
  throw new FormatError(`no ${JSON.stringify(serde)}: ${JSON.stringify(toJson(value))}`)
}

export function decode(bytes: Buffer | null, serde: Json): Value {
  if (bytes === null) return null
  if (isObject(serde)) return decodeWindowed(bytes, serde)
  switch (serde) {
    case 'string':
      return bytes.toString('utf8')
    case 'bytes':
      return bytes
    case 'long':
      return long(bytes.readBigInt64BE())
    case 'integer':
      return { integer: bytes.readInt32BE() }
    case 'double':
      return { double: bytes.readDoubleBE() }
    default:
      throw new FormatError(`unknown serde ${JSON.stringify(serde)}`)
  }
}

function decodeWindowed(bytes: Buffer, serde: { readonly [field: string]: Json }): Value {
  const session = serde['sessionWindowed'] ?? null
  const suffix = session === null ? 8 : 16
  const start = Number(bytes.readBigInt64BE(bytes.length - 8))
  const end =
    session === null ? start + required(limit, serde, 'sizeMs') : time(bytes.readBigInt64BE(bytes.length - 16))
  const key = decode(bytes.subarray(0, bytes.length - suffix), session ?? serde['timeWindowed'] ?? null)
  return { key, window: { start, end } }
}

const time = (value: bigint): number => (value === longMax ? Infinity : Number(value))

function longBytes(value: Long): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(value === Infinity ? longMax : BigInt(value))
  return bytes
}

/** A value as the format writes it. */
export function toJson(value: Value): Json {
  if (value === null || typeof value === 'string') return value
  if (value === Infinity) return String(longMax)
  if (typeof value === 'number') return value
  if (isInteger(value)) return value.integer
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Uint8Array) return value.toString('hex')
  if (isWindowed(value))
    return [toJson(value.key), toJson(exactBound(value.window.start)), toJson(exactBound(value.window.end))]
  const { double } = value
  return Number.isFinite(double) && !Object.is(double, -0) ? double : Object.is(double, -0) ? '-0' : String(double)
}

/** What the format writes for a value of this serde. */
export function fromJson(json: Json, serde: Json): Value {
  if (json === null) return null
  if (isObject(serde) && Array.isArray(json)) {
    const [key = null, start, end] = json as readonly Json[]
    const inner = serde['timeWindowed'] ?? serde['sessionWindowed'] ?? null
    return { key: fromJson(key, inner), window: { start: bound(start), end: bound(end) } }
  }
  if (serde === 'string' && typeof json === 'string') return json
  if (serde === 'bytes' && typeof json === 'string') return Buffer.from(json, 'hex')
  if (typeof json === 'number' || typeof json === 'string') {
    if (serde === 'long') return long(BigInt(json))
    if (serde === 'integer') return { integer: Number(json) }
    if (serde === 'double') return { double: Number(json) }
  }
  throw new FormatError(`the value ${JSON.stringify(json)} does not fit the serde ${JSON.stringify(serde)}`)
}

const bound = (json: Json | undefined): number => required(whole, { bound: json ?? null }, 'bound')

export const toHex = (bytes: Buffer | null): string | null => (bytes === null ? null : bytes.toString('hex'))

export function fromHex(json: Json): Buffer | null {
  if (json === null) return null
  if (typeof json !== 'string' || !/^(?:[0-9a-f]{2})*$/.test(json)) {
    throw new FormatError(`${JSON.stringify(json)} is no lower-case hex`)
  }
  return Buffer.from(json, 'hex')
}

/** Every serde that a scenario's topics name is known. */
export function checkSerde(serde: Json): void {
  if (typeof serde === 'string' && ['string', 'long', 'integer', 'double', 'bytes'].includes(serde)) return
  const inner = isObject(serde) ? (serde['timeWindowed'] ?? serde['sessionWindowed'] ?? null) : null
  if (inner === null) throw new FormatError(`unknown serde ${JSON.stringify(serde)}`)
  checkSerde(inner)
}
