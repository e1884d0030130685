import type { Eligibility, ResultsVisible } from '@voting/election/poll-terms'

/** What an organiser sends to create a poll; checked in one place for the API and the form. */
export interface PollInput {
  readonly title: string
  readonly options: readonly { readonly id: string; readonly label: string }[]
  readonly regions: readonly string[]
  readonly opensAtMs: number
  readonly closesAtMs: number
  readonly revote: 'first' | 'last'
  readonly electorate: number | null
  readonly maxChoices: number
  readonly allowBlank: boolean
  readonly resultsVisible: ResultsVisible
  readonly eligibility: Eligibility
  /** Its owner's alone, until it is published. */
  readonly isDraft: boolean
}

const legalId = /^[A-Za-z0-9_-]{1,40}$/
/** What every object has, as `constructor`, would be taken for a count wherever counts are kept by id. */
const isTaken = (name: unknown): boolean => typeof name === 'string' && name in Object.prototype
/** A line of text: whole characters (PostgreSQL keeps no others), none of them a control character. */
export const isLine = (value: unknown, max: number): value is string =>
  typeof value === 'string' &&
  value.trim().length > 0 &&
  value.length <= max &&
  value.isWellFormed() &&
  !/\p{Cc}/u.test(value)

/** A part of the input, by which pages say what is wrong with it; `hours` is the form's alone. */
export type InputPart =
  | 'body'
  | 'title'
  | 'options'
  | 'regions'
  | 'opensAt'
  | 'closesAt'
  | 'hours'
  | 'revote'
  | 'electorate'
  | 'maxChoices'
  | 'allowBlank'
  | 'resultsVisible'
  | 'draft'
  | 'eligibility'
  | 'mail'
  | 'provider'

/** Why an input makes no poll. */
export class InputProblem {
  readonly part: InputPart
  /** For programs: a sentence that names the field, the value and what is expected. */
  readonly detail: string

  constructor(part: InputPart, detail: string) {
    this.part = part
    this.detail = detail
  }
}

/** The checked input, or the first thing that is wrong with it. */
export function checkPollInput(body: unknown, nowMs: number): PollInput | InputProblem {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    return new InputProblem('body', 'The body must be a JSON object.')
  const { title, options, opensAt, closesAt, revote, electorate = null } = body as Record<string, unknown>
  const regions: unknown = (body as Record<string, unknown>)['regions'] ?? []
  if (!isLine(title, 200)) return new InputProblem('title', 'title must be a line of 1 to 200 characters.')
  const checkedOptions = checkOptions(options)
  if (checkedOptions instanceof InputProblem) return checkedOptions
  if (
    !Array.isArray(regions) ||
    regions.length > 200 ||
    !regions.every((region) => isLine(region, 60) && !isTaken(region))
  ) {
    return new InputProblem('regions', 'regions must be a list of at most 200 lines of 1 to 60 characters.')
  }
  if (new Set(regions).size !== regions.length)
    return new InputProblem('regions', 'regions must not contain one twice.')
  const opensAtMs = parseTime(opensAt)
  const closesAtMs = parseTime(closesAt)
  if (opensAtMs === null)
    return new InputProblem('opensAt', `opensAt must be a time in ISO 8601, got ${JSON.stringify(opensAt)}.`)
  if (closesAtMs === null)
    return new InputProblem('closesAt', `closesAt must be a time in ISO 8601, got ${JSON.stringify(closesAt)}.`)
  if (closesAtMs <= opensAtMs) return new InputProblem('closesAt', 'closesAt must be after opensAt.')
  if (closesAtMs <= nowMs) return new InputProblem('closesAt', 'closesAt must lie in the future.')
  if (revote !== 'first' && revote !== 'last')
    return new InputProblem('revote', `revote must be "first" or "last", got ${JSON.stringify(revote)}.`)
  if (electorate !== null && !isWhole(electorate, 1, 2 ** 31 - 1)) {
    return new InputProblem(
      'electorate',
      `electorate must be a whole number above 0, or absent; got ${JSON.stringify(electorate)}.`,
    )
  }
  const { maxChoices = 1, allowBlank = false, resultsVisible = 'live' } = body as Record<string, unknown>
  const eligibility = checkEligibility((body as Record<string, unknown>)['eligibility'] ?? { kind: 'codes' })
  if (!isWhole(maxChoices, 1, checkedOptions.length)) {
    return new InputProblem(
      'maxChoices',
      `maxChoices must be a whole number from 1 to the number of options (${checkedOptions.length}), got ${JSON.stringify(maxChoices)}.`,
    )
  }
  if (typeof allowBlank !== 'boolean')
    return new InputProblem('allowBlank', `allowBlank must be true or false, got ${JSON.stringify(allowBlank)}.`)
  const checkedVisible = checkResultsVisible(resultsVisible)
  if (checkedVisible === null) {
    return new InputProblem(
      'resultsVisible',
      `resultsVisible must be "live", "after-voting", "after-close" or {"from": voters}, got ${JSON.stringify(resultsVisible)}.`,
    )
  }
  const { draft = false } = body as Record<string, unknown>
  if (typeof draft !== 'boolean')
    return new InputProblem('draft', `draft must be true or false, got ${JSON.stringify(draft)}.`)
  if (eligibility === null) {
    const given = JSON.stringify((body as Record<string, unknown>)['eligibility'])
    return new InputProblem(
      'eligibility',
      `eligibility must be {"kind": "link" | "codes" | "addresses"} or {"kind": "claim", "claim", "value"}, got ${given}.`,
    )
  }
  return {
    title,
    options: checkedOptions,
    regions,
    opensAtMs,
    closesAtMs,
    revote,
    electorate,
    maxChoices,
    allowBlank,
    resultsVisible: checkedVisible,
    eligibility,
    isDraft: draft,
  }
}

function checkOptions(options: unknown): PollInput['options'] | InputProblem {
  if (!Array.isArray(options) || options.length < 2 || options.length > 20)
    return new InputProblem('options', 'options must be a list of 2 to 20.')
  const checked: { id: string; label: string }[] = []
  for (const option of options as unknown[]) {
    const { id, label } = (option ?? {}) as Record<string, unknown>
    if (typeof id !== 'string' || !legalId.test(id) || isTaken(id)) {
      return new InputProblem(
        'options',
        `The id of an option must be 1 to 40 of A-Z a-z 0-9 _ -, and no word of the language such as constructor; got ${JSON.stringify(id)}.`,
      )
    }
    if (!isLine(label, 100))
      return new InputProblem('options', `The label of option "${id}" must be a line of 1 to 100 characters.`)
    if (checked.some((other) => other.id === id)) return new InputProblem('options', `Two options have the id "${id}".`)
    checked.push({ id, label })
  }
  return checked
}

const isWhole = (value: unknown, min: number, max: number): value is number =>
  Number.isInteger(value) && (value as number) >= min && (value as number) <= max

function checkResultsVisible(value: unknown): ResultsVisible | null {
  if (value === 'live' || value === 'after-voting' || value === 'after-close') return value
  if (typeof value !== 'object' || value === null) return null
  const { from, ...rest } = value as Record<string, unknown>
  return isWhole(from, 1, 2 ** 31 - 1) && Object.keys(rest).length === 0 ? { from } : null
}

function checkEligibility(value: unknown): Eligibility | null {
  if (typeof value !== 'object' || value === null) return null
  const { kind, claim, value: expected, ...rest } = value as Record<string, unknown>
  if (Object.keys(rest).length > 0) return null
  if (kind === 'claim') return isLine(claim, 100) && isLine(expected, 200) ? { kind, claim, value: expected } : null
  if (claim !== undefined || expected !== undefined) return null
  return kind === 'link' || kind === 'codes' || kind === 'addresses' ? { kind } : null
}

/** Times are UTC: one without a zone is read as such, whatever zone this process runs in. */
export function parseTime(value: unknown): number | null {
  const parts = typeof value === 'string' ? /^\d{4}-\d{2}-\d{2}T[\d:.]+(Z|[+-]\d{2}:?\d{2})?$/.exec(value) : null
  if (!parts) return null
  const ms = Date.parse(parts[1] === undefined ? `${parts[0]}Z` : parts[0])
  return Number.isNaN(ms) ? null : ms
}
