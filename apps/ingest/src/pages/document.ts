import { type LanguageName, languageNames } from '@voting/election/languages'
import { type Words, wordsIn } from '../messages/index.ts'
import { type Html, html } from './html.ts'

export interface PageOptions {
  readonly title: string
  readonly body: Html
  readonly words: Words
  /** The address of the page in another language; null where there is none: the answer to a form. */
  readonly inLanguage: ((name: LanguageName) => string) | null
  readonly script?: string
  /** Uses the width of the window. */
  readonly isWide?: boolean
  /** Without scripts the page is loaded again after this time. */
  readonly refreshSeconds?: number
}

/** A whole page. Every asset is our own, and named by its content. */
export function page(
  { title, body, words, inLanguage, script, refreshSeconds, isWide = false }: PageOptions,
  assets: ReadonlyMap<string, string>,
): string {
  return html`<!doctype html>
    <html lang="${words.name}" dir="${words.direction}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        ${
          refreshSeconds === undefined
            ? null
            : html`<noscript><meta http-equiv="refresh" content="${refreshSeconds}" /></noscript>`
        }
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="${assets.get('ballot.css') ?? ''}" />
      </head>
      <body>
        <a class="skip" href="#main">${words.say('skip')}</a>
        ${inLanguage === null ? null : languageLinks(words, inLanguage)}
        <main id="main" ${isWide ? html`class="wide"` : null}>${body}</main>
        ${script === undefined ? null : html`<script type="module" src="${assets.get(script) ?? ''}"></script>`}
      </body>
    </html>`.text
}

/** The same page in the other languages. */
const languageLinks = (words: Words, inLanguage: (name: LanguageName) => string): Html =>
  html`<nav class="languages" aria-label="${words.say('languageNav')}">
    ${languageNames
      .filter((name) => name !== words.name)
      .map(
        (name) =>
          html`<a lang="${name}" hreflang="${name}" dir="auto" href="${inLanguage(name)}"
            >${wordsIn(name).say('language')}</a
          >`,
      )}
  </nav>`
