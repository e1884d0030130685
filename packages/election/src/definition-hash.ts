import { createHash } from 'node:crypto'
import type { Eligibility, ResultsVisible } from './poll-terms.ts'

export interface Definition {
  readonly title: string
  readonly options: readonly { readonly id: string; readonly label: string }[]
  readonly regions: readonly string[]
  readonly revote: 'first' | 'last'
  readonly electorate: number | null
  /** These four are part of the fingerprint only where they say something else than their default. */
  readonly maxChoices?: number
  readonly allowBlank?: boolean
  readonly resultsVisible?: ResultsVisible
  readonly eligibility?: Eligibility
}

type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json | undefined }

/**
 * RFC 8785 JSON for what a definition holds: members sorted by UTF-16 units, no white space, strings and numbers as
 * ECMAScript writes them, which is what the RFC prescribes.
 */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  const members = Object.entries(value as { readonly [name: string]: Json | undefined })
    .filter((member): member is [string, Json] => member[1] !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(',')}}`
}

/**
 * The fingerprint of what voters decide on; the times are not part of it. An electorate that is not known is left out, and
 * so is whatever has its default: one choice, no blank ballot, live results, voter codes.
 */
export function definitionHash(definition: Definition): string {
  const { title, options, regions, revote, electorate } = definition
  const { maxChoices = 1, allowBlank = false, resultsVisible = 'live', eligibility = { kind: 'codes' } } = definition
  const json = canonicalJson({
    title,
    options: options.map(({ id, label }) => ({ id, label })),
    regions,
    revote,
    electorate: electorate ?? undefined,
    maxChoices: maxChoices === 1 ? undefined : maxChoices,
    allowBlank: allowBlank || undefined,
    resultsVisible: resultsVisible === 'live' ? undefined : resultsVisible,
    eligibility: eligibility.kind === 'codes' ? undefined : { ...eligibility },
  })
  return createHash('sha256').update(json).digest('hex')
}
