import { printable } from '../common/printable.ts'

const entities: { readonly [char: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** For texts and attributes in quotes of a page, as it is. */
export const quoted = (text: string): string => text.replace(/[&<>"']/g, (char) => entities[char]!)

/** The same of texts that anybody may have written: what would not be seen, or would turn others around, is made visible. */
export const escaped = (text: string): string => quoted(printable(text, Infinity))
