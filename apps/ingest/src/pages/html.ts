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
  return escaped(String(part))
}

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => escapes[character]!)

/** A message with HTML, texts and numbers in its places; texts of others keep their own direction. */
export function fillHtml(
  template: string,
  values: { readonly [place: string]: Html | string | number },
  number: (n: number) => string,
): Html {
  const filled = escaped(template).replace(/\{(\w+)\}/g, (_, place: string) => {
    const value = values[place] ?? ''
    if (value instanceof Html) return value.text
    return typeof value === 'number' ? number(value) : `<bdi>${escaped(value)}</bdi>`
  })
  return new Html(filled)
}
