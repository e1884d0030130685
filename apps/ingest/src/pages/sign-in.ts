import type { Words } from '../messages/index.ts'
import { type Html, html } from './html.ts'
import { problemBox } from './message.ts'

export interface SignInWays {
  /** What the organisation's provider is called; null where there is none. */
  readonly provider: string | null
  /** Development only. */
  readonly hasToken: boolean
  /** Where passkeys work, if they do not at this address: they need a name, not a number. */
  readonly passkeysAt: string | null
}

/** What a button that asks for a passkey needs: what it is for, and what its script says when it fails. */
export function passkeyBox(
  words: Words,
  options: { readonly step: 'sign-in' | 'add' | 'join'; readonly formToken?: string },
): Html {
  const { step, formToken = '' } = options
  return html`<div
    id="passkey"
    data-step="${step}"
    data-form-token="${formToken}"
    data-unused="${words.say('passkeyUnused')}"
    data-impossible="${words.say('passkeyImpossible')}"
  >
    <p>
      <button type="button" id="passkey-button">
        ${words.say(step === 'sign-in' ? 'passkeySignIn' : 'passkeyAdd')}
      </button>
    </p>
    <p class="wrong" id="passkey-problem" role="alert"></p>
    <noscript><p class="hint">${words.say('passkeyNeedsScript')}</p></noscript>
  </div>`
}

/** Where to open the page for passkeys to work. */
export const passkeysElsewhere = (words: Words, url: string): Html =>
  html`<p class="hint">${words.html('passkeyNeedsName', { link: html`<a dir="ltr" href="${url}">${url}</a>` })}</p>`

export function signInPage(words: Words, ways: SignInWays, problem: string | null): Html {
  const { provider, hasToken, passkeysAt } = ways
  return html`${problemBox(words, problem)}
    <h1>${words.say('forOrganisers')}</h1>
    ${
      provider === null
        ? null
        : html`<p><a class="button" href="/sign-in/organiser">${words.say('signInWith', { provider })}</a></p>`
    }
    ${passkeysAt === null ? passkeyBox(words, { step: 'sign-in' }) : passkeysElsewhere(words, passkeysAt)}
    ${
      hasToken
        ? html`<form method="post" action="/organiser/session">
            <div class="field">
              <label for="token">${words.say('tokenLabel')}</label>
              <p class="hint" id="token-hint">${words.say('tokenHint')}</p>
              <input
                id="token"
                name="token"
                type="password"
                required
                dir="ltr"
                autocomplete="off"
                aria-describedby="token-hint"
              />
            </div>
            <button>${words.say('signIn')}</button>
          </form>`
        : null
    }`
}

/** Where an invitation leads: the script reads the secret of the link, which no server was sent. */
export const joinPage = (words: Words): Html =>
  html`<h1>${words.say('invitedTitle')}</h1>
    <p>${words.say('invited')}</p>
    ${passkeyBox(words, { step: 'join' })}`
