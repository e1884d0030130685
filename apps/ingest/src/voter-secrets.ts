import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import type { Choice } from '@voting/election/events'
import { normaliseCode } from '@voting/election/identifiers'

/** By the bytes they were made of, for as long as somebody has these: with a key object an HMAC takes Node 3 µs, with bytes 17. */
const keyObjects = new WeakMap<Buffer, KeyObject>()

function mac(key: Buffer, text: string): string {
  let secret = keyObjects.get(key)
  if (secret === undefined) keyObjects.set(key, (secret = createSecretKey(key)))
  return createHmac('sha256', secret).update(text).digest('base64url')
}

/** Which row of `codes` a code is; the code itself is kept nowhere. */
export const codeIdOf = (pollKey: Buffer, code: string): string => mac(pollKey, `c|${normaliseCode(code)}`)

/** A browser's row in a poll for anyone with the link: there is no list that it would have to be on. */
export const codeIdOfBrowser = (pollKey: Buffer, secret: string): string => mac(pollKey, `l|${secret}`)

/** A listed address's row of `codes`, however its owner writes it. */
export const rollIdOfAddress = (pollKey: Buffer, address: string): string =>
  mac(pollKey, `a|${address.trim().normalize('NFC').toLowerCase()}`)

/** The row of somebody whom a provider knows: issuer and subject, which never change hands. */
export const rollIdOfIdentity = (pollKey: Buffer, issuer: string, subject: string): string =>
  mac(pollKey, `o|${JSON.stringify([issuer, subject])}`)

/** The voter's name in the log: the same for every ballot of a code, and meaningless without the poll's key. */
export const voterTagOf = (pollKey: Buffer, codeId: string): string => mac(pollKey, `v|${codeId}`).slice(0, 22)

/** A ballot's identity: the same form sent twice is the same ballot. */
export const ballotIdOf = (pollKey: Buffer, codeId: string, nonce: string): string =>
  mac(pollKey, `b|${codeId}|${nonce}`).slice(0, 22)

/** Tells whether a repeat carries the same choice, without keeping the choice. */
export const choiceMacOf = (pollKey: Buffer, ballotId: string, choice: Choice): string =>
  // No option's id can look like a list.
  mac(pollKey, `m|${ballotId}|${typeof choice === 'string' ? choice : JSON.stringify(choice)}`)
