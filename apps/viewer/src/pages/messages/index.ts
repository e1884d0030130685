import { chooseLanguage, type LanguageName, languages } from '@voting/election/languages'
import type { Message } from '@voting/election/messages'
import { createWords, type Words } from '../../../public/shared.js'
import { ar } from './ar.ts'
import { en } from './en.ts'

type Each<T> = { readonly [key in keyof T]: Message }

/** Every text of the pages in one language. */
export interface Texts {
  /** Texts that the page's script needs, too. */
  readonly live: Each<typeof en.live>
  readonly page: Each<typeof en.page>
}

export type Key = keyof typeof en.live | keyof typeof en.page

export const texts: { readonly [name in LanguageName]: Texts } = { en, ar }

/** What a page is written with. */
export interface Tongue {
  readonly name: LanguageName
  readonly direction: 'ltr' | 'rtl'
  readonly locale: string
  readonly texts: Texts
  readonly words: Words
  readonly say: (key: Key, values?: { readonly [name: string]: string | number }) => string
}

const tongues = new Map<LanguageName, Tongue>()

export function tongueOf(name: LanguageName): Tongue {
  const before = tongues.get(name)
  if (before) return before
  const { locale, direction } = languages[name]
  const words = createWords(locale, { ...texts[name].live, ...texts[name].page })
  const made = { name, locale, direction, texts: texts[name], words, say: words.say }
  tongues.set(name, made)
  return made
}

/** The language that the address names (`?lang=ar`), else the first one that the browser asks for and that there is. */
export const chooseTongue = (asked: unknown, acceptLanguage: string | undefined): Tongue =>
  tongueOf(chooseLanguage(asked, acceptLanguage))
