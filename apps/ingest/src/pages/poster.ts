import type { Words } from '../messages/index.ts'
import type { Poll } from '../poll-repository.ts'
import { qrCode } from '../qr-code.ts'
import { type Html, html } from './html.ts'
import { eligibilityWords } from './poll-words.ts'

/** A page to print or to show in a room: the question, the short link and its QR code. */
export function posterPage(words: Words, poll: Poll, ballotUrl: string): Html {
  const link = `${ballotUrl}/s/${poll.shortCode ?? ''}`
  return html`<div class="poster">
    <h1><bdi>${poll.title}</bdi></h1>
    ${qrCode(link, words.say('qrPoster'))}
    <p class="address"><bdi dir="ltr">${link.replace(/^https?:\/\//, '')}</bdi></p>
    <p>
      ${words.say('posterUntil', { time: words.moment(poll.closesAtMs) })} ${eligibilityWords(words, poll.eligibility)}
    </p>
    <p class="small screen-only"><a href="/organiser/polls/${poll.id}">${words.say('backToPoll')}</a></p>
  </div>`
}
