import type { Problem } from '@voting/election/problem'
import type { Refusal } from './admission.ts'

/** Every way a ballot can be refused: what programs get, and what a voter reads. */
export const refusals: { readonly [reason in Refusal]: Problem & { readonly voter: string } } = {
  malformed: {
    status: 400,
    code: 'malformed',
    title: 'The ballot is malformed',
    detail:
      'A ballot is {code, option, nonce} or {code, choices, nonce}; no choice is twice in it. The nonce is 16 to 128 of A-Z a-z 0-9 _ -.',
    voter: 'Something was missing from the form. Enter your code and choose one option.',
  },
  'unknown-poll': {
    status: 404,
    code: 'unknown-poll',
    title: 'No such poll',
    voter: 'There is no such poll. Check the address on your letter.',
  },
  'not-open': {
    status: 403,
    code: 'not-open',
    title: 'The poll is not open yet',
    voter: 'This poll is not open yet. Your ballot was not recorded.',
  },
  closed: {
    status: 410,
    code: 'closed',
    title: 'The poll is closed',
    voter: 'This poll has closed. Your ballot was not recorded.',
  },
  'bad-code': {
    status: 403,
    code: 'bad-code',
    title: 'The voter code is not valid for this poll',
    voter: 'This voter code is not valid here. Check it against your letter: it has no letters I, L, O or U.',
  },
  'unknown-option': {
    status: 422,
    code: 'unknown-option',
    title: 'The poll has no such option',
    voter: 'Choose one of the options.',
  },
  'too-many-choices': {
    status: 422,
    code: 'too-many-choices',
    title: 'The ballot names more options than the poll allows',
    voter: 'You have chosen too many options. Take some away.',
  },
  'blank-not-allowed': {
    status: 422,
    code: 'blank-not-allowed',
    title: 'The poll takes no blank ballots',
    voter: 'Choose at least one option.',
  },
  'nonce-reused': {
    status: 409,
    code: 'nonce-reused',
    title: 'This form was already used for another choice',
    voter: 'This form was already used for another choice. Open the ballot again to vote anew.',
  },
  'already-voted': {
    status: 409,
    code: 'already-voted',
    title: 'This code has already voted',
    voter: 'A ballot was already recorded with this code. In this poll the first ballot counts.',
  },
  'vote-pending': {
    status: 409,
    code: 'vote-pending',
    title: 'An earlier ballot of this code is not confirmed yet',
    voter: 'An earlier ballot with this code is still being confirmed. Send that form again, or try again in a minute.',
  },
  'not-recorded': {
    status: 503,
    code: 'not-recorded',
    title: 'The ballot was not recorded',
    detail: 'The log cannot be written now. Nothing was recorded; send the ballot again.',
    retryAfterSeconds: 2,
    voter: 'Your ballot was NOT recorded: voting is interrupted. Your choice is kept below; try again in a moment.',
  },
  unconfirmed: {
    status: 503,
    code: 'unconfirmed',
    title: 'It is not known whether the ballot was recorded',
    detail: 'The log did not answer in time. Send the same ballot again, with the same nonce: it counts once.',
    retryAfterSeconds: 2,
    voter:
      'It is not yet known whether your ballot was recorded. Send this form again: it counts once, however often you send it.',
  },
  'closed-unconfirmed': {
    status: 503,
    code: 'unconfirmed',
    title: 'It is not known whether the ballot was recorded before the close',
    detail:
      'The poll has closed since. Send the same ballot again, with the same nonce: the answer says when it is known.',
    retryAfterSeconds: 2,
    voter:
      'The poll has closed, and it is not yet known whether your ballot was recorded before. Send this form again in a moment: it adds no second ballot, and you get your receipt as soon as your ballot is found in the log.',
  },
}

/** Refusals that somebody who tries things out would get: they count against an address. */
const guesses: ReadonlySet<Refusal> = new Set<Refusal>(['bad-code', 'malformed', 'unknown-poll'])
export const isGuess = (reason: Refusal): boolean => guesses.has(reason)
