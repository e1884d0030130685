import { createWords, type Message, type Words } from '../../../public/shared.js'
import { ar } from './ar.ts'
import { en } from './en.ts'

type Texts<T> = { readonly [key in keyof T]: Message }

/** A language of the pages: every text in it, how numbers and times are written, and which way lines run. */
export interface Language {
  readonly locale: string
  readonly direction: 'ltr' | 'rtl'
  /** Texts that the page's script needs, too. */
  readonly live: Texts<typeof en.live>
  readonly page: Texts<typeof en.page>
}

export type Key = keyof typeof en.live | keyof typeof en.page

export const languages = { en, ar } as const satisfies { readonly [name: string]: Language }
export type LanguageName = keyof typeof languages

const isLanguage = (name: string): name is LanguageName => Object.hasOwn(languages, name)

/** What a page is written with. */
export interface Tongue {
  readonly name: LanguageName
  readonly language: Language
  readonly words: Words
  readonly say: (key: Key, values?: { readonly [name: string]: string | number }) => string
}

const tongues = new Map<LanguageName, Tongue>()

export function tongueOf(name: LanguageName): Tongue {
  const known = tongues.get(name)
  if (known) return known
  const language: Language = languages[name]
  const words = createWords(language.locale, { ...language.live, ...language.page })
  const made = { name, language, words, say: words.say }
  tongues.set(name, made)
  return made
}

/** The language that the address names (`?lang=ar`), else the first one that the browser asks for and that there is. */
export function chooseTongue(asked: unknown, acceptLanguage: string | undefined): Tongue {
  if (typeof asked === 'string' && isLanguage(asked)) return tongueOf(asked)
  const wanted = (acceptLanguage ?? '')
    .split(',')
    .map((part) => {
      const [tag = '', ...parameters] = part.trim().toLowerCase().split(';')
      const quality = parameters.find((parameter) => parameter.trim().startsWith('q='))
      return { name: tag.split('-', 1)[0]!, quality: quality === undefined ? 1 : Number(quality.trim().slice(2)) || 0 }
    })
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality)
  for (const { name } of wanted) if (isLanguage(name)) return tongueOf(name)
  return tongueOf('en')
}
