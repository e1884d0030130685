import { type Html, html } from './html.ts'

/** Stands above every page of somebody who is signed in. */
export const organiserBar = (name: string, formToken: string): Html =>
  html`<nav class="bar" aria-label="Organiser">
    <a href="/organiser">Your polls</a>
    <a href="/organiser/account">${name}</a>
    <form method="post" action="/organiser/session/end">
      <input type="hidden" name="form_token" value="${formToken}" /><button class="secondary">Sign out</button>
    </form>
  </nav>`
