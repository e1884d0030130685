/** The languages of the pages: how each writes numbers and times, and which way its lines run. */
export const languages = {
  en: { locale: 'en', direction: 'ltr' },
  // With the digits that charts and exports have.
  ar: { locale: 'ar-u-nu-latn', direction: 'rtl' },
} as const satisfies { readonly [name: string]: { readonly locale: string; readonly direction: 'ltr' | 'rtl' } }

export type LanguageName = keyof typeof languages

export const languageNames = Object.keys(languages) as LanguageName[]

export const isLanguage = (name: unknown): name is LanguageName =>
  typeof name === 'string' && Object.hasOwn(languages, name)

/** The language that is asked for by name, else the first one that the browser accepts and that there is, else English. */
export function chooseLanguage(asked: unknown, acceptLanguage: string | undefined): LanguageName {
  if (isLanguage(asked)) return asked
  const wanted = (acceptLanguage ?? '')
    .split(',')
    .map((part) => {
      const [tag = '', ...parameters] = part.trim().toLowerCase().split(';')
      const quality = parameters.find((parameter) => parameter.trim().startsWith('q='))
      return { name: tag.split('-', 1)[0]!, quality: quality === undefined ? 1 : Number(quality.trim().slice(2)) || 0 }
    })
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality)
  return wanted.map(({ name }) => name).find(isLanguage) ?? 'en'
}
