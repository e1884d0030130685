import { aboveEveryKey } from './layered-table.ts'

/** The smallest latin1 string above every string that begins with `prefix`. */
export function incremented(prefix: string): string {
  let end = prefix.length
  while (end > 0 && prefix.charCodeAt(end - 1) === 0xff) end--
  if (end === 0) return aboveEveryKey
  return prefix.slice(0, end - 1) + String.fromCharCode(prefix.charCodeAt(end - 1) + 1)
}
