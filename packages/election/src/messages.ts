/** A text with `{places}`; where a number decides, its forms by the names of `Intl.PluralRules`, of which `{n}` chooses. */
export type Message = string | { readonly [form: string]: string }

export type MessageValues = { readonly [place: string]: string | number }

/** Letters, marks and controls that are not written from left to right. */
const otherWay =
  /[\u0590-\u08ff\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u

/**
 * How messages are said in one language. `template` is a message with its places, in the form that `n` asks for. `say` has
 * them filled: numbers as the language writes them, and texts of others and dates in their own direction, so that an Arabic
 * option does not turn an English sentence around. `plain` leaves that out, for mails, where a mark would become a part of
 * an address. Throws for a key that is none.
 */
export function createMessages(
  locale: string,
  messages: { readonly [key: string]: Message },
): {
  readonly template: (key: string, n?: string | number) => string
  readonly say: (key: string, values?: MessageValues) => string
  readonly plain: (key: string, values?: MessageValues) => string
  readonly number: (n: number) => string
} {
  const plural = new Intl.PluralRules(locale)
  const format = new Intl.NumberFormat(locale)
  const number = (n: number): string => format.format(n)
  const template = (key: string, n?: string | number): string => {
    const message = messages[key]
    if (message === undefined) throw new Error(`there is no message ${key}`)
    return typeof message === 'string' ? message : (message[plural.select(Number(n))] ?? message['other'] ?? '')
  }
  const isLeftToRight = !/^(?:ar|fa|he|ur)\b/.test(locale)
  const isolated = (text: string): string => (isLeftToRight && !otherWay.test(text) ? text : `\u2068${text}\u2069`)
  const filled = (key: string, values: MessageValues, show: (text: string) => string): string =>
    template(key, values['n']).replace(/\{(\w+)\}/g, (_, place: string) => {
      const value = values[place] ?? ''
      return typeof value === 'number' ? number(value) : show(value)
    })
  return {
    template,
    say: (key, values = {}) => filled(key, values, isolated),
    plain: (key, values = {}) => filled(key, values, (text) => text),
    number,
  }
}
