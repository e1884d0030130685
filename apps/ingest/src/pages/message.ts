import type { Words } from '../messages/index.ts'
import { type Html, html } from './html.ts'

/** A page that says one thing, and leads back to what there is. */
export const messagePage = (words: Words, title: string, text: string, link: Html | null = null): Html =>
  html`<h1><bdi>${title}</bdi></h1>
    <p>${text}</p>
    ${link === null ? null : html`<p>${link}</p>`}
    <p><a href="/">${words.say('allOpenPolls')}</a></p>`

/** What went wrong, read out at once; a link leads to the part of the form that it is about. */
export const problemBox = (words: Words, problem: string | null, field: string | null = null): Html | null =>
  problem === null
    ? null
    : html`<div class="problem" role="alert" tabindex="-1" autofocus>
        <h2>${words.say('problemHeading')}</h2>
        <p>${field === null ? problem : html`<a href="#${field}">${problem}</a>`}</p>
      </div>`
