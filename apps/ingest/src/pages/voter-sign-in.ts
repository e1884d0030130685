import type { Poll } from '../poll-repository.ts'
import { attemptMinutes } from '../sign-in/attempts.ts'
import { problemBox } from './ballot.ts'
import { type Html, html } from './html.ts'

/** Asks for the address that a mail is to go to. */
export const addressPage = (poll: Poll, address: string, problem: string | null): Html =>
  html`${problemBox(problem, problem === null ? null : 'address')}
    <h1>${poll.title}</h1>
    <p>This poll is for listed addresses. Enter yours, and a mail brings you a link to the ballot.</p>
    <form method="post" action="/p/${poll.slug}/mail">
      <div class="field">
        <label for="address">Your e-mail address</label>
        <input id="address" name="address" type="email" value="${address}" required autocomplete="email" />
      </div>
      <button>Send the mail</button>
    </form>`

/** After a mail was asked for: says the same whether the address is listed or not. */
export const mailSentPage = (poll: Poll, problem: string | null): Html =>
  html`${problemBox(problem, problem === null ? null : 'mail-code')}
    <h1>Look at your mail</h1>
    <p>
      If the address is listed for this poll, a mail is on its way. Open its link in this browser, or enter its code
      here. Both work once, within ${attemptMinutes} minutes.
    </p>
    <form method="post" action="/p/${poll.slug}/confirm">
      <div class="field">
        <label for="mail-code">Code from the mail</label>
        <input
          id="mail-code"
          name="code"
          required
          autocomplete="one-time-code"
          autocapitalize="characters"
          spellcheck="false"
        />
      </div>
      <button>Go to the ballot</button>
    </form>
    <p class="small"><a href="/p/${poll.slug}">No mail after two minutes? Ask again</a></p>`

/** Where the mail's link leads. Nothing happens before the button is pressed, for programs follow links in mails. */
export const confirmPage = (poll: Poll, token: string): Html =>
  html`<h1>${poll.title}</h1>
    <form method="post" action="/p/${poll.slug}/confirm">
      <input type="hidden" name="token" value="${token}" />
      <button>Go to the ballot</button>
    </form>`

/** The mail's link was opened in another browser than asked for it. */
export const otherBrowserPage = (poll: Poll): Html =>
  html`<h1>Open this link where you asked for it</h1>
    <p>
      The link works only in the browser that asked for the mail, and for ${attemptMinutes} minutes. Enter the code from
      the mail there, or ask for another mail here.
    </p>
    <p><a href="/p/${poll.slug}">Ask for another mail</a></p>`

/** Sends voters to the organisation's provider. */
export const providerPage = (poll: Poll, provider: string, problem: string | null): Html =>
  html`${problemBox(problem)}
    <h1>${poll.title}</h1>
    <p>To vote, sign in with ${provider}. It tells us whether you may vote here; who you are is not kept.</p>
    <p><a class="button" href="/sign-in/voter/${poll.slug}">Sign in with ${provider}</a></p>`
