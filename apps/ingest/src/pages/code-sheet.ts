import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Words } from '../messages/index.ts'
import type { Poll } from '../poll-repository.ts'
import { qrCode } from '../qr-code.ts'
import { type Html, html } from './html.ts'

/** A sheet of more would be too large for a browser. */
export const sheetMax = 500

export interface CodePageOptions {
  readonly bar: Html
  readonly poll: Poll
  readonly codes: readonly string[]
  /** Where ballots are cast. */
  readonly ballotUrl: string
  /** The results of this poll. */
  readonly resultsUrl: string
}

/** New codes as a list, to be copied; shown this once. */
export const codeListPage = (words: Words, { bar, poll, codes, ballotUrl, resultsUrl }: CodePageOptions): Html =>
  html`${bar}
    <h1><bdi>${poll.title}</bdi></h1>
    <section class="codes">
      <h2>${words.say('newCodes', { n: codes.length })}</h2>
      <p><strong>${words.say('shownOnce')}</strong> ${words.say('printOrCopy')}</p>
      <ol>
        ${codes.map((code) => html`<li><code dir="ltr">${code}</code></li>`)}
      </ol>
    </section>
    <p class="small">
      <a href="/organiser/polls/${poll.id}">${words.say('backToPoll')}</a> ·
      <a href="${ballotUrl}/p/${poll.slug}">${words.say('ballotLink')}</a> ·
      <a href="${resultsUrl}">${words.say('resultsLinkShort')}</a>
    </p>`

/**
 * New codes as slips to print and cut, each with its own QR code. The code is behind the # of the link: a browser sends it to
 * no server, and a script puts it into the form.
 */
export async function codeSheetPage(words: Words, options: CodePageOptions): Promise<Html> {
  const { bar, poll, codes, ballotUrl } = options
  const link = `${ballotUrl}/${poll.shortCode === null ? `p/${poll.slug}` : `s/${poll.shortCode}`}`
  const slips: Html[] = []
  for (const code of codes) {
    // Drawing one takes milliseconds: ballots that arrive meanwhile must not wait for all of them.
    await nextTurn()
    slips.push(slip(words, poll, code, link))
  }
  return html`<div class="screen-only">
      ${bar}
      <h1><bdi>${poll.title}</bdi></h1>
      <p><strong>${words.say('sheetOnce')}</strong> ${words.say('printAndCut')}</p>
      <p class="small"><a href="/organiser/polls/${poll.id}">${words.say('backToPoll')}</a></p>
    </div>
    <ol class="slips codes">
      ${slips}
    </ol>`
}

const slip = (words: Words, poll: Poll, code: string, link: string): Html =>
  html`<li>
    <div>
      <strong><bdi>${poll.title}</bdi></strong>
      <p>${words.say('slipVote', { time: words.moment(poll.closesAtMs) })}</p>
      <p class="address"><bdi dir="ltr">${link.replace(/^https?:\/\//, '')}</bdi></p>
      <p>${words.say('slipCode')}</p>
      <code dir="ltr">${code}</code>
    </div>
    ${qrCode(`${link}#${code}`, words.say('qrSlip'))}
  </li>`
