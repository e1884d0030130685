import type { Poll } from '../poll-repository.ts'
import { qrCode } from '../qr-code.ts'
import { type Html, html } from './html.ts'
import { eligibilityWords, when } from './poll-words.ts'

/** A page to print or to show in a room: the question, the short link and its QR code. */
export function posterPage(poll: Poll, ballotUrl: string): Html {
  const link = `${ballotUrl}/s/${poll.shortCode ?? ''}`
  return html`<div class="poster">
    <h1>${poll.title}</h1>
    ${qrCode(link, 'The ballot')}
    <p class="address">${link.replace(/^https?:\/\//, '')}</p>
    <p>Vote until ${when.format(poll.closesAtMs)} UTC. ${eligibilityWords(poll.eligibility)}</p>
    <p class="small screen-only"><a href="/organiser/polls/${poll.id}">Back to the poll</a></p>
  </div>`
}
