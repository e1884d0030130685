import type { Json } from '../runner/format.ts'

/** The types that values and plain keys have. */
export type Plain = 'string' | 'long' | 'integer' | 'double' | 'bytes'

export type WindowedKey =
  | { readonly window: 'time'; readonly inner: Plain; readonly sizeMs: Json }
  | { readonly window: 'session'; readonly inner: Plain }

export type KeyType = Plain | WindowedKey

export const isWindowed = (key: KeyType): key is WindowedKey => typeof key === 'object'

export const innerOf = (key: KeyType): Plain => (isWindowed(key) ? key.inner : key)

export function serdeOf(type: KeyType): Json {
  if (!isWindowed(type)) return type
  return type.window === 'session' ? { sessionWindowed: type.inner } : { timeWindowed: type.inner, sizeMs: type.sizeMs }
}

export const isSameType = (a: KeyType, b: KeyType): boolean => JSON.stringify(a) === JSON.stringify(b)

/** `str` of format §7 is defined. */
export const hasText = (type: KeyType): boolean => innerOf(type) !== 'double' && innerOf(type) !== 'bytes'

/** `num` of format §7 is defined. */
export const hasNumber = (type: KeyType): boolean => !isWindowed(type) && hasText(type)
