import { browserOf } from '../browser-name.ts'
import type { Key, Words } from '../messages/index.ts'
import type { ListedPasskey } from '../sign-in/passkeys.ts'
import type { ListedSession, SignInMethod } from '../sign-in/sessions.ts'
import { type Html, html } from './html.ts'
import { problemBox } from './message.ts'
import { passkeyBox, passkeysElsewhere } from './sign-in.ts'

const sessionKeys = {
  token: 'sessionToken',
  oidc: 'sessionOidc',
  passkey: 'sessionPasskey',
  mail: 'sessionMail',
} as const satisfies { readonly [method in SignInMethod]: Key }

export interface AccountPageOptions {
  readonly bar: Html
  readonly formToken: string
  readonly sessions: readonly ListedSession[]
  /** The one this page was asked for with. */
  readonly currentIdHash: string
  readonly passkeys: readonly ListedPasskey[]
  readonly passkeysAt: string | null
  readonly problem: string | null
}

/** What lets this organiser in: sessions, which can be ended, and passkeys. */
export function accountPage(words: Words, options: AccountPageOptions): Html {
  const { bar, formToken, sessions, currentIdHash, passkeys, passkeysAt, problem } = options
  const hidden = html`<input type="hidden" name="form_token" value="${formToken}" />`
  const browserWords = (userAgent: string): string => {
    const { browser, system } = browserOf(userAgent)
    if (browser === null) return words.say('unknownBrowser')
    return system === null ? browser : words.say('browserOn', { browser, system })
  }
  return html`${bar}${problemBox(words, problem)}
    <h1>${words.say('accountTitle')}</h1>
    <h2>${words.say('sessionsHeading')}</h2>
    <ul class="rows">
      ${sessions.map(({ idHash, method, userAgent, createdAtMs, lastUsedAtMs }) => {
        const name = idHash === currentIdHash ? words.say('thisSession') : browserWords(userAgent)
        return html`<li>
          <p>
            ${words.html(sessionKeys[method], {
              browser: html`<strong>${name}</strong>`,
              time: words.moment(createdAtMs),
              used: words.moment(lastUsedAtMs),
            })}
          </p>
          <form method="post" action="/organiser/sessions/${idHash}/end">
            ${hidden}<button class="secondary">
              ${words.say('end')}<span class="visually-hidden"> ${words.say('endThis')}</span>
            </button>
          </form>
        </li>`
      })}
    </ul>
    <h2>${words.say('passkeysHeading')}</h2>
    ${
      passkeys.length === 0
        ? html`<p>${words.say('noPasskey')}</p>`
        : html`<ul class="rows">
              ${passkeys.map(({ credentialId, createdAtMs, lastUsedAtMs }) => {
                const time = words.moment(createdAtMs)
                const used =
                  lastUsedAtMs === null
                    ? words.say('passkeyNeverUsed', { time })
                    : words.say('passkeyUsed', { time, used: words.moment(lastUsedAtMs) })
                return html`<li>
                  <p>${used}</p>
                  <form method="post" action="/organiser/passkeys/${credentialId}/remove">
                    ${hidden}<button class="secondary">
                      ${words.say('remove')}<span class="visually-hidden"> ${words.say('removeThis')}</span>
                    </button>
                  </form>
                </li>`
              })}
            </ul>
            <p class="small">${words.say('passkeyRemoval')}</p>`
    }
    ${passkeysAt === null ? passkeyBox(words, { step: 'add', formToken }) : passkeysElsewhere(words, passkeysAt)}`
}
