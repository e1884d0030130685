const escapes: { readonly [character: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** HTML that may be put into a page as it is. */
export class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

type Part = Html | string | number | null | false | readonly Html[]

/** A template whose values are escaped unless they are HTML themselves. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  let text = strings[0]!
  for (const [i, part] of parts.entries()) text += render(part) + strings[i + 1]!
  return new Html(text)
}

function render(part: Part): string {
  if (part === null || part === false) return ''
  if (part instanceof Html) return part.text
  if (typeof part === 'object') return part.map(({ text }) => text).join('')
  return String(part).replace(/[&<>"']/g, (character) => escapes[character]!)
}

export interface PageOptions {
  readonly title: string
  readonly body: Html
  readonly script?: string
  /** Uses the width of the window. */
  readonly isWide?: boolean
  /** Without scripts the page is loaded again after this time. */
  readonly refreshSeconds?: number
}

/** A whole page. Every asset is our own, and named by its content. */
export function page(
  { title, body, script, refreshSeconds, isWide = false }: PageOptions,
  assets: ReadonlyMap<string, string>,
): string {
  return html`<!doctype html>
    <html lang="en">
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
        <a class="skip" href="#main">Skip to the content</a>
        <main id="main" ${isWide ? html`class="wide"` : null}>${body}</main>
        ${script === undefined ? null : html`<script type="module" src="${assets.get(script) ?? ''}"></script>`}
      </body>
    </html>`.text
}
