import { type LanguageName, languages } from '@voting/election/languages'
import { createMessages, type Message } from '@voting/election/messages'
import { fillHtml, type Html } from '../pages/html.ts'
import { organisers as arOrganisers } from './ar-organisers.ts'
import { voters as arVoters } from './ar-voters.ts'
import { organisers } from './en-organisers.ts'
import { voters } from './en-voters.ts'

/** The same keys, each with a text, or with forms of one where English has some: a language that lacks one does not compile. */
export type TextsOf<Texts> = { readonly [key in keyof Texts]: Texts[key] extends string ? string : Message }

const en = { ...voters, ...organisers } as const
type English = typeof en
export type Key = keyof English

export const texts = { en, ar: { ...arVoters, ...arOrganisers } } as const satisfies {
  readonly [name in LanguageName]: TextsOf<English>
}

/** The places of a message, as `{time}`: what has to be given with it. */
type Places<Text> = Text extends string
  ? Text extends `${string}{${infer Place}}${infer Rest}`
    ? Place | Places<Rest>
    : never
  : Text extends object
    ? Places<Text[keyof Text]>
    : never
type Values<K extends Key, Value> = [Places<English[K]>] extends [never]
  ? []
  : [values: { readonly [place in Places<English[K]>]: Value }]

/** Messages that need nothing: they can be said by their key alone. */
export type PlainKey = { [K in Key]: [Places<English[K]>] extends [never] ? K : never }[Key]

/** How everything is said in one language. A message without a value for each of its places does not compile. */
export interface Words {
  readonly name: LanguageName
  readonly direction: 'ltr' | 'rtl'
  readonly say: <K extends Key>(key: K, ...values: Values<K, string | number>) => string
  /** The same without marks of direction: for mails. */
  readonly plain: <K extends Key>(key: K, ...values: Values<K, string | number>) => string
  /** The same with HTML in its places; texts are escaped, and keep their own direction. */
  readonly html: <K extends Key>(key: K, ...values: Values<K, Html | string | number>) => Html
  readonly number: (n: number) => string
  readonly percent: (share: number) => string
  readonly day: (ms: number) => string
  readonly minute: (ms: number) => string
  /** Moments, in UTC: the messages say so. */
  readonly moment: (ms: number) => string
  readonly longMoment: (ms: number) => string
  readonly momentWithSeconds: (ms: number) => string
}

const known = new Map<LanguageName, Words>()

export function wordsIn(name: LanguageName): Words {
  const before = known.get(name)
  if (before) return before
  const { locale, direction } = languages[name]
  const messages = createMessages(locale, texts[name])
  const percent = new Intl.NumberFormat(locale, {
    style: 'percent',
    minimumFractionDigits: 1,
    maximumFractionDigits: 1,
  })
  const time = (options: Intl.DateTimeFormatOptions): ((ms: number) => string) => {
    const format = new Intl.DateTimeFormat(locale, { ...options, timeZone: 'UTC' })
    return (ms) => format.format(ms)
  }
  // Months by their names: with numbers, an Arabic date between texts of the other direction may be read from either end.
  const date = { year: 'numeric', month: 'short', day: 'numeric' } as const
  const clock = { hour: 'numeric', minute: '2-digit' } as const
  const words: Words = {
    name,
    direction,
    say: (key, ...[values]) => messages.say(key, values),
    plain: (key, ...[values]) => messages.plain(key, values),
    html: (key, ...[values = {}]: [{ readonly [place: string]: Html | string | number }?]) =>
      fillHtml(messages.template(key, Number(values['n'])), values, messages.number),
    number: messages.number,
    percent: (share) => percent.format(share),
    day: time(date),
    minute: time(clock),
    moment: time({ ...date, ...clock }),
    longMoment: time({ dateStyle: 'full', timeStyle: 'short' }),
    momentWithSeconds: time({ ...date, ...clock, second: '2-digit' }),
  }
  known.set(name, words)
  return words
}
