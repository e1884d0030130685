import { ArgumentError } from '../common/errors.ts'
import { int64Big } from '../common/serde.ts'
import type { StoreSpec } from '../state/store-spec.ts'
import { StoreCodec } from '../state/value-codec.ts'
import { badRequest } from './problem.ts'
import type { ServedStore } from './router-options.ts'

/** How keys and values of a served store look in URLs and JSON. */
export interface JsonForm {
  /** Throws a Problem for what is no key. */
  keyFromText(text: string): unknown
  keyToJson(key: unknown): unknown
  valueToJson(value: unknown): unknown
  /** Keys are ordered as these are. */
  orderOf(key: unknown): string
}

export function jsonForm(spec: StoreSpec, served: ServedStore): JsonForm {
  const fromText = served.keyFromText ?? readerOf(spec)
  if (fromText === undefined) {
    throw new ArgumentError(
      'keyFromText',
      `keys of the store "${spec.name}" are written by ${spec.key.name}: say how they are read from a URL, with keyFromText`,
    )
  }
  const codec = new StoreCodec<unknown, unknown>(spec)
  return {
    keyFromText(text) {
      try {
        const key = fromText(text)
        codec.keyString(key)
        return key
      } catch {
        throw badRequest(`${JSON.stringify(text.slice(0, 100))} is no key of the store "${spec.name}"`)
      }
    },
    keyToJson: (served.keyToJson as ((key: unknown) => unknown) | undefined) ?? plain,
    valueToJson: (served.valueToJson as ((value: unknown) => unknown) | undefined) ?? plain,
    orderOf: (key) => codec.keyString(key),
  }
}

function readerOf({ key }: StoreSpec): ((text: string) => unknown) | undefined {
  if (key === int64Big()) return (text) => BigInt(matching(text, whole))
  switch (key.name) {
    case 'string':
    case 'uuid':
      return (text) => text
    case 'int16':
    case 'int32':
    case 'int64':
      return (text) => Number(matching(text, whole))
    case 'float32':
    case 'float64':
      return (text) => Number(matching(text, decimal))
    case 'boolean':
      return (text) => matching(text, /^(?:true|false)$/) === 'true'
    case 'bytes':
      return (text) => Buffer.from(matching(text, /^[\w-]*$/), 'base64url')
    case 'json':
      return (text) => JSON.parse(text) as unknown
    default:
      return undefined
  }
}

const whole = /^-?\d{1,20}$/
const decimal = /^-?\d{1,20}(?:\.\d{1,20})?(?:[eE][+-]?\d{1,3})?$/

function matching(text: string, pattern: RegExp): string {
  if (!pattern.test(text)) throw new Error('not such a text')
  return text
}

const plain = (value: unknown): unknown => (value instanceof Uint8Array ? base64url(value) : value)

/** JSON, of bigints and bytes inside it too. */
export function toJson(body: unknown): string {
  return JSON.stringify(body, function (this: { readonly [name: string]: unknown }, name, value: unknown) {
    // Buffers have become { type, data } by now.
    const own = this[name]
    if (own instanceof Uint8Array) return base64url(own)
    return typeof value === 'bigint' ? String(value) : value
  })
}

const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')
