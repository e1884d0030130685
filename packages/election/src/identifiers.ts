import { createHash, randomBytes } from 'node:crypto'
import { base32, normaliseBase32 } from './receipt.ts'

export const newPollId = (): string => `p${base32(randomBytes(8)).toLowerCase().slice(0, 12)}`

/** A short name for links: letters and digits of the title, and a few random ones so that it is unique. */
export function newSlug(title: string): string {
  const words = title
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40)
    .replace(/-+$/, '')
  return `${words || 'poll'}-${base32(randomBytes(3)).toLowerCase().slice(0, 4)}`
}

/** Of a short link: 35 bits that can be read out and typed. */
export const newShortCode = (): string => base32(randomBytes(5)).toLowerCase().slice(0, 7)

/**
 * A one-time voter code: 128 random bits as 26 characters a person can read out, and a check character that finds a
 * mistyped one. Shown once, kept only as an HMAC.
 */
export function newVoterCode(): string {
  const text = base32(randomBytes(16))
  return `${text}${checkCharacter(text)}`.match(/.{1,5}/g)!.join('-')
}

/** The form of a code that is hashed. Any string has one: an unknown code is unknown, not malformed. */
export const normaliseCode = (code: string): string => normaliseBase32(code)

const checkCharacter = (text: string): string =>
  base32(createHash('sha256').update(`code|${text}`).digest().subarray(0, 1))[0]!
