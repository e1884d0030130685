import type { Words } from '../messages/index.ts'
import { type Html, html } from './html.ts'

/** Stands above every page of somebody who is signed in. */
export const organiserBar = (words: Words, name: string, formToken: string): Html =>
  html`<nav class="bar" aria-label="${words.say('organiserNav')}">
    <a href="/organiser">${words.say('yourPolls')}</a>
    <a href="/organiser/account"><bdi>${name}</bdi></a>
    <form method="post" action="/organiser/session/end">
      <input type="hidden" name="form_token" value="${formToken}" /><button class="secondary">
        ${words.say('signOut')}
      </button>
    </form>
  </nav>`
