/** What user code made for a table. `undefined` would delete a row because somebody forgot a return. */
export function notUndefined<R>(value: R, maker: string): R {
  if (value !== undefined) return value
  throw new TypeError(`the ${maker} returned undefined (a return that was forgotten?); null deletes`)
}
