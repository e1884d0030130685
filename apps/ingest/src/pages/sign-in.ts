import { problemBox } from './ballot.ts'
import { type Html, html } from './html.ts'

export interface SignInWays {
  /** What the organisation's provider is called; null where there is none. */
  readonly provider: string | null
  /** Development only. */
  readonly hasToken: boolean
  /** Where passkeys work, if they do not at this address: they need a name, not a number. */
  readonly passkeysAt: string | null
}

export function signInPage(ways: SignInWays, problem: string | null): Html {
  return html`${problemBox(problem)}
    <h1>For organisers</h1>
    ${
      ways.provider === null
        ? null
        : html`<p><a class="button" href="/sign-in/organiser">Sign in with ${ways.provider}</a></p>`
    }
    ${
      ways.passkeysAt === null
        ? html`<div id="passkey" data-step="sign-in">
            <p><button type="button" id="passkey-button">Sign in with a passkey</button></p>
            <p class="wrong" id="passkey-problem" role="alert"></p>
            <noscript><p class="hint">Passkeys need a browser that runs scripts.</p></noscript>
          </div>`
        : html`<p class="hint">
            Passkeys need an address with a name: <a href="${ways.passkeysAt}">${ways.passkeysAt}</a>
          </p>`
    }
    ${
      ways.hasToken
        ? html`<form method="post" action="/organiser/session">
            <div class="field">
              <label for="token">Organiser token</label>
              <p class="hint" id="token-hint">
                For development: it was printed when the system was started. In production this way in is closed.
              </p>
              <input
                id="token"
                name="token"
                type="password"
                required
                autocomplete="off"
                aria-describedby="token-hint"
              />
            </div>
            <button>Sign in</button>
          </form>`
        : null
    }`
}

/** Where an invitation leads: the script reads the secret of the link, which no server was sent. */
export const joinPage = (): Html =>
  html`<h1>You are invited</h1>
    <p>
      Add a passkey to organise polls here. It stays on your device or in your password manager; there is no password.
    </p>
    <div id="passkey" data-step="join">
      <p><button type="button" id="passkey-button">Add a passkey</button></p>
      <p class="wrong" id="passkey-problem" role="alert"></p>
      <noscript><p class="hint">Passkeys need a browser that runs scripts.</p></noscript>
    </div>`
