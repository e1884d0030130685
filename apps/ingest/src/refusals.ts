import type { Problem } from '@voting/election/problem'
import type { Refusal } from './admission.ts'

/** Every way a ballot can be refused, as programs are told; voters read `refusal-…` of the messages. */
export const refusals: { readonly [reason in Refusal]: Problem } = {
  malformed: {
    status: 400,
    code: 'malformed',
    title: 'The ballot is malformed',
    detail:
      'A ballot is {code, option, nonce} or {code, choices, nonce}; no choice is twice in it. The nonce is 16 to 128 of A-Z a-z 0-9 _ -.',
  },
  'unknown-poll': {
    status: 404,
    code: 'unknown-poll',
    title: 'No such poll',
  },
  'not-open': {
    status: 403,
    code: 'not-open',
    title: 'The poll is not open yet',
  },
  closed: {
    status: 410,
    code: 'closed',
    title: 'The poll is closed',
  },
  'bad-code': {
    status: 403,
    code: 'bad-code',
    title: 'The voter code is not valid for this poll',
  },
  'unknown-option': {
    status: 422,
    code: 'unknown-option',
    title: 'The poll has no such option',
  },
  'too-many-choices': {
    status: 422,
    code: 'too-many-choices',
    title: 'The ballot names more options than the poll allows',
  },
  'blank-not-allowed': {
    status: 422,
    code: 'blank-not-allowed',
    title: 'The poll takes no blank ballots',
  },
  'nonce-reused': {
    status: 409,
    code: 'nonce-reused',
    title: 'This form was already used for another choice',
  },
  'already-voted': {
    status: 409,
    code: 'already-voted',
    title: 'This code has already voted',
  },
  'vote-pending': {
    status: 409,
    code: 'vote-pending',
    title: 'An earlier ballot of this code is not confirmed yet',
  },
  overloaded: {
    status: 503,
    code: 'overloaded',
    title: 'More ballots are under way than can be answered in time',
    detail: 'Nothing was done with this request. Send the same ballot again, with the same nonce: it counts once.',
    retryAfterSeconds: 2,
  },
  'not-recorded': {
    status: 503,
    code: 'not-recorded',
    title: 'The ballot was not recorded',
    detail: 'The log cannot be written now. Nothing was recorded; send the ballot again.',
    retryAfterSeconds: 2,
  },
  unconfirmed: {
    status: 503,
    code: 'unconfirmed',
    title: 'It is not known whether the ballot was recorded',
    detail: 'The log did not answer in time. Send the same ballot again, with the same nonce: it counts once.',
    retryAfterSeconds: 2,
  },
  'closed-unconfirmed': {
    status: 503,
    code: 'unconfirmed',
    title: 'It is not known whether the ballot was recorded before the close',
    detail:
      'The poll has closed since. Send the same ballot again, with the same nonce: the answer says when it is known.',
    retryAfterSeconds: 2,
  },
}

/** Refusals that somebody who tries things out would get: they count against an address. */
const guesses: ReadonlySet<Refusal> = new Set<Refusal>(['bad-code', 'malformed', 'unknown-poll'])
export const isGuess = (reason: Refusal): boolean => guesses.has(reason)
