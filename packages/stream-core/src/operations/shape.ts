/** Whether a value is of a form. */
export type Shape = (value: unknown) => boolean

const textMax = 10_000
const listMax = 100_000

export const text: Shape = (value) => typeof value === 'string' && value.length <= textMax
export const flag: Shape = (value) => typeof value === 'boolean'
export const number: Shape = (value) => typeof value === 'number' && Number.isFinite(value)

export const orNull =
  (shape: Shape): Shape =>
  (value) =>
    value === null || shape(value)

export const oneOf =
  (...texts: readonly string[]): Shape =>
  (value) =>
    texts.includes(value as string)

export const listOf =
  (shape: Shape): Shape =>
  (value) =>
    Array.isArray(value) && value.length <= listMax && value.every(shape)

/** Members that it does not name may be there: they come from a later version. */
export const objectOf = (members: { readonly [name: string]: Shape }): Shape => {
  const entries = Object.entries(members)
  return (value) =>
    typeof value === 'object' &&
    value !== null &&
    entries.every(([name, shape]) => Object.hasOwn(value, name) && shape((value as { [name: string]: unknown })[name]))
}
