import type { Message } from '@voting/election/messages'

/** What stands on every page, and on those of voters. */
export const voters = {
  language: 'English',
  languageNav: 'Language',
  skip: 'Skip to the content',
  utc: '{time} UTC',
  problemHeading: 'Please look at this',
  problemTitle: 'Problem: {title}',
  allOpenPolls: 'All open polls',

  notAccepted: 'Not accepted',
  otherSite: 'This form was sent from another site. Open the page here and send it again.',
  otherSession: 'This form belongs to another session. Open the page again.',
  noPageTitle: 'There is no such page',
  noPageText: 'The address may be mistyped.',
  noPollTitle: 'There is no such poll',
  noPollText: 'Check the address on your letter.',
  notNowTitle: 'This is not possible now',
  unavailable:
    'Something is not working here at the moment. If you were casting a ballot: go back and send the same form again; it counts once.',
  tooLarge: 'What was sent is too large.',
  malformedRequest: 'The request is malformed.',
  waitTitle: 'Wait a minute',
  waitForms: 'Too many refused forms from here. Wait a minute and try again.',
  waitCodes: 'Too many wrong codes from here. Wait a minute and try again.',
  waitReceipts: 'Too many unknown receipts from here. Wait a minute and try again.',
  waitAttempts: 'Too many attempts from here. Wait a minute and try again.',
  waitMails: 'Too many mails were asked for from here. Wait a minute and try again.',

  voteTitle: 'Vote',
  noOpenPoll: 'No poll is open at the moment.',
  openUntil: 'Open until {time} UTC',
  lookUpReceipt: 'Look up a receipt',
  forOrganisers: 'For organisers',

  openUntilSentence: 'Open until {time} UTC.',
  introFirst: 'Your first ballot counts.',
  introLast: 'You may vote again until the close; your last ballot counts.',
  indicative: 'Indicative poll.',
  indicativeWhy: 'Anyone with the link can take part, so nobody can tell whether somebody votes twice.',
  signedInHere: 'You are signed in to this poll.',
  signOut: 'Sign out',
  signOutEverywhere: 'Sign out on all devices',
  blankOption: 'None of these: a blank ballot',
  codeLabel: 'Your voter code',
  codeHint: 'From your letter. Capitals, spaces and dashes do not matter.',
  codeMissing: 'Enter your voter code.',
  choiceLegend: 'Your choice',
  choicesLegend: 'Your choices, up to {n}',
  review: 'Review your ballot',
  reviewLater: 'You can check everything on the next page before your ballot is cast.',
  fingerprint: 'Fingerprint of this poll: {hash}',
  yourChoice: 'Your choice',
  yourChoices: 'Your choices',
  cast: 'Cast this ballot',
  change: 'Change',
  nothingYet: 'Nothing is recorded until you cast it.',
  signedOutMeanwhile: 'You are not signed in any more. Sign in again to vote; nothing was recorded.',

  receiptTitle: 'Receipt {receipt}',
  statusRecorded: 'Recorded',
  statusCounted: 'Counted',
  statusSuperseded: 'Replaced',
  statusRejected: 'Not counted',
  textRecorded: 'Your ballot is safely in the log. It will be counted in a moment.',
  textCounted: 'The result includes your ballot.',
  textSuperseded: 'A later ballot of yours was counted instead of this one.',
  textRejected: 'Your ballot was recorded but could not be counted.',
  reasonClosed: 'It reached the log after the poll had closed.',
  reasonAlreadyVoted: 'Another ballot of yours came first.',
  reasonUnknownOption: 'The poll has no such option.',
  reasonTooManyChoices: 'It names more options than the poll allows.',
  reasonBlankNotAllowed: 'The poll takes no blank ballots.',
  yourReceipt: 'Your receipt',
  keepReceipt:
    'Keep it: with it you can check here at any time what became of your ballot. It does not show how you voted.',
  seeResults: 'See the results',
  resultsLater: 'The results will be here, as soon as they are to be seen',
  receiptOf: 'A ballot of the poll “{title}”, whose fingerprint is {hash}',
  looksAgain: 'This page looks again by itself.',
  lookNow: 'Look again now',
  whatWords: 'What do these words mean?',
  explainRecorded: '{word}: the ballot is in the log and cannot get lost.',
  explainCounted: '{word}: a result that includes it has been published.',
  receiptLabel: 'Receipt',
  lookUp: 'Look up',
  unknownReceiptTitle: 'Unknown receipt',
  unknownReceipt: 'No ballot has this receipt. Check it for typing mistakes.',

  addressIntro: 'This poll is for listed addresses. Enter yours, and a mail brings you a link to the ballot.',
  addressLabel: 'Your e-mail address',
  sendMail: 'Send the mail',
  badAddress: 'This is not an e-mail address. Enter one such as name@example.org.',
  lookAtMail: 'Look at your mail',
  mailOnItsWay:
    'If the address is listed for this poll, a mail is on its way. Open its link in this browser, or enter its code here. Both work once, within {n} minutes.',
  mailCodeLabel: 'Code from the mail',
  toBallot: 'Go to the ballot',
  askAgain: 'No mail after two minutes? Ask again',
  otherBrowserTitle: 'Open this link where you asked for it',
  otherBrowser:
    'The link works only in the browser that asked for the mail, and for {n} minutes. Enter the code from the mail there, or ask for another mail here.',
  anotherMail: 'Ask for another mail',
  mailGone: 'What the mail brought was used, is too old, or was mistyped too often. Ask for another mail.',
  mailWrong: 'This is not the code from the newest mail. Check it for typing mistakes.',
  mailSubject: 'Vote: {title}',
  mailText: `{title}

To vote, open this link in the browser where you asked for it:

{link}

or enter this code there:

{code}

Both work once, within {n} minutes. If you did not ask for this mail, do nothing:
nobody can vote for you without it.
`,

  providerIntro: 'To vote, sign in with {provider}. It tells us whether you may vote here; who you are is not kept.',
  signInWith: 'Sign in with {provider}',
  signInImpossible: 'Signing in to this poll is not possible at the moment. Whoever runs this has to set it up again.',
  providerAway: '{provider} does not answer at the moment. Try again in a minute.',
  providerLate: 'This sign-in was not begun in this browser, or took too long.',
  providerRefused: '{provider} did not sign you in. Try again.',
  notOrganiserTitle: 'You may not organise polls',
  notOrganiser: '{provider} knows you, but you may not organise polls here. Whoever runs this can change that.',
  notVoterTitle: 'You may not vote in this poll',
  notVoter: '{provider} knows you, but this poll is for others. Ask whoever organises it.',

  'refusal-malformed': 'Something was missing from the form. Enter your code and choose one option.',
  'refusal-unknown-poll': 'There is no such poll. Check the address on your letter.',
  'refusal-not-open': 'This poll is not open yet. Your ballot was not recorded.',
  'refusal-closed': 'This poll has closed. Your ballot was not recorded.',
  'refusal-bad-code':
    'This voter code is not valid here. Check it against your letter: it has no letters I, L, O or U.',
  'refusal-unknown-option': 'Choose one of the options.',
  'refusal-too-many-choices': 'You have chosen too many options. Take some away.',
  'refusal-blank-not-allowed': 'Choose at least one option.',
  'refusal-nonce-reused': 'This form was already used for another choice. Open the ballot again to vote anew.',
  'refusal-already-voted': 'A ballot was already recorded with this code. In this poll the first ballot counts.',
  'refusal-vote-pending':
    'An earlier ballot with this code is still being confirmed. Send that form again, or try again in a minute.',
  'refusal-overloaded':
    'Very many people are voting at this moment. Your choice is kept below; send this form again in a moment: it counts once.',
  'refusal-not-recorded':
    'Your ballot was NOT recorded: voting is interrupted. Your choice is kept below; try again in a moment.',
  'refusal-unconfirmed':
    'It is not yet known whether your ballot was recorded. Send this form again: it counts once, however often you send it.',
  'refusal-closed-unconfirmed':
    'The poll has closed, and it is not yet known whether your ballot was recorded before. Send this form again in a moment: it adds no second ballot, and you get your receipt as soon as your ballot is found in the log.',
  pollNotOpen: 'The poll is not open yet.',
  pollClosed: 'The poll is closed.',
  resultsLink: 'Results of this poll',
} as const satisfies { readonly [key: string]: Message }
