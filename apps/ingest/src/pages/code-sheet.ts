import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Poll } from '../poll-repository.ts'
import { qrCode } from '../qr-code.ts'
import { type Html, html } from './html.ts'
import { when } from './poll-words.ts'

/** A sheet of more would be too large for a browser. */
export const sheetMax = 500

export interface CodePageOptions {
  readonly bar: Html
  readonly poll: Poll
  readonly codes: readonly string[]
  readonly urls: { readonly ballot: string; readonly results: string }
}

/** New codes as a list, to be copied; shown this once. */
export const codeListPage = ({ bar, poll, codes, urls }: CodePageOptions): Html =>
  html`${bar}
    <h1>${poll.title}</h1>
    <section class="codes">
      <h2>${codes.length} new voter codes</h2>
      <p><strong>They are shown this once.</strong> Print this page or copy them now.</p>
      <ol>
        ${codes.map((code) => html`<li><code>${code}</code></li>`)}
      </ol>
    </section>
    <p class="small">
      <a href="/organiser/polls/${poll.id}">Back to the poll</a> · <a href="${urls.ballot}/p/${poll.slug}">Ballot</a> ·
      <a href="${urls.results}/p/${poll.slug}">Results</a>
    </p>`

/**
 * New codes as slips to print and cut, each with its own QR code. The code is behind the # of the link: a browser sends it to
 * no server, and a script puts it into the form.
 */
export async function codeSheetPage({ bar, poll, codes, urls }: CodePageOptions): Promise<Html> {
  const link = `${urls.ballot}/${poll.shortCode === null ? `p/${poll.slug}` : `s/${poll.shortCode}`}`
  const slips: Html[] = []
  for (const code of codes) {
    // Drawing one takes milliseconds: ballots that arrive meanwhile must not wait for all of them.
    await nextTurn()
    slips.push(slip(poll, code, link))
  }
  return html`<div class="screen-only">
      ${bar}
      <h1>${poll.title}</h1>
      <p><strong>These codes are shown this once.</strong> Print this page now, and cut it along the lines.</p>
      <p class="small"><a href="/organiser/polls/${poll.id}">Back to the poll</a></p>
    </div>
    <ol class="slips codes">
      ${slips}
    </ol>`
}

const slip = (poll: Poll, code: string, link: string): Html =>
  html`<li>
    <div>
      <strong>${poll.title}</strong>
      <p>Vote until ${when.format(poll.closesAtMs)} UTC at</p>
      <p class="address">${link.replace(/^https?:\/\//, '')}</p>
      <p>Your code, for one vote:</p>
      <code>${code}</code>
    </div>
    ${qrCode(`${link}#${code}`, 'The ballot, with this code')}
  </li>`
