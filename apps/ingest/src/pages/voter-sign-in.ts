import type { Words } from '../messages/index.ts'
import type { Poll } from '../poll-repository.ts'
import { attemptMinutes } from '../sign-in/attempts.ts'
import { type Html, html } from './html.ts'
import { problemBox } from './message.ts'

/** Asks for the address that a mail is to go to. */
export const addressPage = (words: Words, poll: Poll, address: string, problem: string | null): Html =>
  html`${problemBox(words, problem, problem === null ? null : 'address')}
    <h1><bdi>${poll.title}</bdi></h1>
    <p>${words.say('addressIntro')}</p>
    <form method="post" action="/p/${poll.slug}/mail">
      <div class="field">
        <label for="address">${words.say('addressLabel')}</label>
        <input id="address" name="address" type="email" value="${address}" required dir="ltr" autocomplete="email" />
      </div>
      <button>${words.say('sendMail')}</button>
    </form>`

/** After a mail was asked for: says the same whether the address is listed or not. */
export const mailSentPage = (words: Words, poll: Poll, problem: string | null): Html =>
  html`${problemBox(words, problem, problem === null ? null : 'mail-code')}
    <h1>${words.say('lookAtMail')}</h1>
    <p>${words.say('mailOnItsWay', { n: attemptMinutes })}</p>
    <form method="post" action="/p/${poll.slug}/confirm">
      <div class="field">
        <label for="mail-code">${words.say('mailCodeLabel')}</label>
        <input
          id="mail-code"
          name="code"
          required
          dir="ltr"
          autocomplete="one-time-code"
          autocapitalize="characters"
          spellcheck="false"
        />
      </div>
      <button>${words.say('toBallot')}</button>
    </form>
    <p class="small"><a href="/p/${poll.slug}">${words.say('askAgain')}</a></p>`

/** Where the mail's link leads. Nothing happens before the button is pressed, for programs follow links in mails. */
export const confirmPage = (words: Words, poll: Poll, token: string): Html =>
  html`<h1><bdi>${poll.title}</bdi></h1>
    <form method="post" action="/p/${poll.slug}/confirm">
      <input type="hidden" name="token" value="${token}" />
      <button>${words.say('toBallot')}</button>
    </form>`

/** The mail's link was opened in another browser than asked for it. */
export const otherBrowserPage = (words: Words, poll: Poll): Html =>
  html`<h1>${words.say('otherBrowserTitle')}</h1>
    <p>${words.say('otherBrowser', { n: attemptMinutes })}</p>
    <p><a href="/p/${poll.slug}">${words.say('anotherMail')}</a></p>`

/** Sends voters to the organisation's provider. */
export const providerPage = (words: Words, poll: Poll, provider: string, problem: string | null): Html =>
  html`${problemBox(words, problem)}
    <h1><bdi>${poll.title}</bdi></h1>
    <p>${words.say('providerIntro', { provider })}</p>
    <p><a class="button" href="/sign-in/voter/${poll.slug}">${words.say('signInWith', { provider })}</a></p>`
