import { randomBytes } from 'node:crypto'
import type { Refusal } from './admission.ts'

/** What the ballot's form carries from page to page. */
export interface BallotForm {
  readonly code: string
  /** What is checked: ids of options, and `blankMark`. */
  readonly chosen: readonly string[]
  /** Names the ballot: a double click, the back button and a repeat are the same one. */
  readonly nonce: string
}

/** Stands for "none of them" in the form: a blank ballot is chosen, never what is left when nothing was. */
export const blankMark = '*blank'

export const newNonce = (): string => randomBytes(16).toString('base64url')

/** The form as it was sent; whatever is missing is empty. */
export function ballotFormOf(body: unknown): BallotForm {
  const { code, option, nonce } = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>
  const text = (value: unknown): string => (typeof value === 'string' ? value.slice(0, 300) : '')
  const chosen = [option].flat().map(text)
  return { code: text(code), chosen: [...new Set(chosen)].filter((id) => id !== ''), nonce: text(nonce) || newNonce() }
}

/** The choice that is checked, or why it is none. */
export function choiceOfForm({
  chosen,
}: BallotForm): { readonly choice: readonly string[] } | { readonly refusal: Refusal } {
  if (chosen.length === 0) return { refusal: 'unknown-option' }
  if (!chosen.includes(blankMark)) return { choice: chosen }
  return chosen.length === 1 ? { choice: [] } : { refusal: 'too-many-choices' }
}
