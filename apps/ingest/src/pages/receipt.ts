import type { Key, Words } from '../messages/index.ts'
import type { FoundReceipt, ReceiptStatus } from '../receipts.ts'
import { type Html, html } from './html.ts'
import { problemBox } from './message.ts'

const statusKeys = {
  recorded: ['statusRecorded', 'textRecorded'],
  counted: ['statusCounted', 'textCounted'],
  superseded: ['statusSuperseded', 'textSuperseded'],
  rejected: ['statusRejected', 'textRejected'],
} as const satisfies { readonly [status in ReceiptStatus['status']]: readonly [title: Key, text: Key] }

const reasonKeys = {
  closed: 'reasonClosed',
  'already-voted': 'reasonAlreadyVoted',
  'unknown-option': 'reasonUnknownOption',
  'too-many-choices': 'reasonTooManyChoices',
  'blank-not-allowed': 'reasonBlankNotAllowed',
} as const satisfies { readonly [reason: string]: Key }

const reasonWords = (words: Words, reason: string | undefined): string | null => {
  if (reason === undefined) return null
  return Object.hasOwn(reasonKeys, reason) ? words.say(reasonKeys[reason as keyof typeof reasonKeys]) : reason
}

/** Recorded and counted are different words: the page moves from one to the other as the tally goes on. */
export function receiptPage(words: Words, receipt: string, found: FoundReceipt, resultsUrl: string): Html {
  const [heading, text] = statusKeys[found.status]
  const { title, definitionHash, resultsVisible } = found.ballotOf
  const isSeen = resultsVisible === 'live' || resultsVisible === 'after-voting'
  return html`<div
      class="receipt ${found.status}"
      id="receipt"
      data-receipt="${receipt}"
      data-status="${found.status}"
      data-counted="${words.say('statusCounted')}"
      data-counted-text="${words.say('textCounted')}"
      role="status"
    >
      <h1 id="receipt-title">${words.say(heading)}</h1>
      <p id="receipt-text">${words.say(text)} ${reasonWords(words, found.reason)}</p>
    </div>
    <p>${words.say('yourReceipt')}</p>
    <p class="code"><strong dir="ltr">${receipt}</strong></p>
    <p>${words.say('keepReceipt')}</p>
    <p><a href="${resultsUrl}">${words.say(isSeen ? 'seeResults' : 'resultsLater')}</a></p>
    <p class="small">${words.html('receiptOf', { title, hash: html`<code dir="ltr">${definitionHash}</code>` })}</p>
    ${
      found.status === 'recorded'
        ? html`<noscript
            ><p>${words.say('looksAgain')} <a href="">${words.say('lookNow')}</a></p></noscript
          >`
        : null
    }
    <details>
      <summary>${words.say('whatWords')}</summary>
      <p>
        ${words.html('explainRecorded', { word: html`<strong>${words.say('statusRecorded')}</strong>` })}
        ${words.html('explainCounted', { word: html`<strong>${words.say('statusCounted')}</strong>` })}
      </p>
    </details>`
}

/** `given`: what was looked up before, to be mended. */
export function receiptFormPage(words: Words, problem: string | null, given = ''): Html {
  return html`${problemBox(words, problem, problem === null ? null : 'receipt')}
    <h1>${words.say('lookUpReceipt')}</h1>
    <form method="get" action="/receipts">
      <div class="field">
        <label for="receipt">${words.say('receiptLabel')}</label>
        <input
          id="receipt"
          name="receipt"
          value="${given}"
          required
          dir="ltr"
          autocomplete="off"
          autocapitalize="characters"
          spellcheck="false"
        />
      </div>
      <button>${words.say('lookUp')}</button>
    </form>`
}
