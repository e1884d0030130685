import type { ListedPasskey } from '../sign-in/passkeys.ts'
import type { ListedSession, SignInMethod } from '../sign-in/sessions.ts'
import { organiserBar } from './organiser-bar.ts'
import { type Html, html } from './html.ts'

const when = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' })

const methodWords: { readonly [method in SignInMethod]: string } = {
  token: 'with the organiser token',
  oidc: 'with the provider',
  passkey: 'with a passkey',
  mail: 'by mail',
}

export interface AccountPageOptions {
  readonly name: string
  readonly formToken: string
  readonly sessions: readonly ListedSession[]
  /** The one this page was asked for with. */
  readonly currentIdHash: string
  readonly passkeys: readonly ListedPasskey[]
  readonly passkeysAt: string | null
}

/** What lets this organiser in: sessions, which can be ended, and passkeys. */
export function accountPage(options: AccountPageOptions): Html {
  const { name, formToken, sessions, currentIdHash, passkeys, passkeysAt } = options
  const hidden = html`<input type="hidden" name="form_token" value="${formToken}" />`
  return html`${organiserBar(name, formToken)}
    <h1>Your account</h1>
    <h2>Sessions</h2>
    <ul class="rows">
      ${sessions.map(
        ({ idHash, method, userAgent, createdAtMs, lastUsedAtMs }) =>
          html`<li>
            <p>
              <strong>${idHash === currentIdHash ? 'This one' : userAgent || 'Unknown browser'}</strong>, signed in
              ${methodWords[method]} ${when.format(createdAtMs)} UTC, last used ${when.format(lastUsedAtMs)} UTC
            </p>
            <form method="post" action="/organiser/sessions/${idHash}/end">
              ${hidden}<button class="secondary">End<span class="visually-hidden"> this session</span></button>
            </form>
          </li>`,
      )}
    </ul>
    <h2>Passkeys</h2>
    ${
      passkeys.length === 0
        ? html`<p>There is none yet.</p>`
        : html`<ul class="rows">
            ${passkeys.map(
              ({ credentialId, createdAtMs, lastUsedAtMs }) =>
                html`<li>
                  <p>
                    Added ${when.format(createdAtMs)} UTC,
                    ${lastUsedAtMs === null ? 'never used' : html`last used ${when.format(lastUsedAtMs)} UTC`}
                  </p>
                  <form method="post" action="/organiser/passkeys/${credentialId}/remove">
                    ${hidden}<button class="secondary">Remove<span class="visually-hidden"> this passkey</span></button>
                  </form>
                </li>`,
            )}
          </ul>`
    }
    ${
      passkeysAt === null
        ? html`<div id="passkey" data-step="add" data-form-token="${formToken}">
            <p><button type="button" id="passkey-button">Add a passkey</button></p>
            <p class="wrong" id="passkey-problem" role="alert"></p>
            <noscript><p class="hint">Passkeys need a browser that runs scripts.</p></noscript>
          </div>`
        : html`<p class="hint">Passkeys need an address with a name: <a href="${passkeysAt}">${passkeysAt}</a></p>`
    }`
}
