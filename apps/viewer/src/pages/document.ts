import { escapeHtml } from './html.ts'
import { type LanguageName, languageNames } from '@voting/election/languages'
import { type Tongue, tongueOf } from './messages/index.ts'

/** Who asks for a page, and how. */
export interface Visit {
  readonly tongue: Tongue
  /** The language was named in the address: links keep it. */
  readonly isTongueNamed: boolean
  /** Path and parameters of the page, without the language. */
  readonly path: string
  readonly parameters: { readonly [name: string]: string }
  readonly nowMs: number
  /** Addresses of scripts and styles by name. */
  readonly assets: ReadonlyMap<string, string>
}

type Parameters = { readonly [name: string]: string | undefined }

/** An address on this site, for use in HTML; it keeps the language that the visitor has named. */
export function link(visit: Visit, path: string, parameters: Parameters = {}, language?: LanguageName): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) search.set(name, value)
  const named = language ?? (visit.isTongueNamed ? visit.tongue.name : undefined)
  if (named !== undefined) search.set('lang', named)
  return escapeHtml(search.size === 0 ? path : `${path}?${search.toString()}`)
}

/** A message with HTML in its places. */
export const sayHtml = (text: string, values: { readonly [name: string]: string }): string =>
  escapeHtml(text).replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? '')

export interface DocumentOptions {
  readonly title: string
  readonly body: string
  /** What follows the main part: data and scripts. */
  readonly scripts?: string
  /** In the head: asks for the page again; default: nothing does. */
  readonly refresh?: string
  /** A part of somebody else's page: without navigation. */
  readonly isEmbedded?: boolean
}

/** For a page that changes: without its script it is loaded again, not so often that a form could not be filled in. */
export const refreshWithoutScript = '<noscript><meta http-equiv="refresh" content="15"></noscript>'

export function document(visit: Visit, options: DocumentOptions): string {
  const { title, body, scripts = '', refresh = '', isEmbedded = false } = options
  const { tongue, assets } = visit
  const bar = isEmbedded
    ? ''
    : `<a class="skip" href="#main">${tongue.say('skip')}</a>
<nav class="top" aria-label="${tongue.say('allPolls')}"><a href="${link(visit, '/polls')}">${tongue.say('allPolls')}</a><span>${languageLinks(visit)}</span></nav>`
  return `<!doctype html>
<html lang="${tongue.name}" dir="${tongue.direction}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
${refresh}
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${assets.get('results.css')}">
</head><body${isEmbedded ? ' class="embedded"' : ''}>${bar}
<main id="main">${body}</main>
${scripts}</body></html>`
}

/** The same page in the other languages. */
const languageLinks = (visit: Visit): string =>
  languageNames
    .filter((name) => name !== visit.tongue.name)
    .map(
      (name) =>
        `<a lang="${name}" hreflang="${name}" href="${link(visit, visit.path, visit.parameters, name)}">${tongueOf(name).say('language')}</a>`,
    )
    .join(' ')

export interface MessagePageOptions {
  readonly title: string
  readonly text: string
  /** The page asks for itself again after this time. */
  readonly refreshSeconds?: number
}

/** A page that is no result: what is wrong, and where to go. */
export function messagePage(visit: Visit, { title, text, refreshSeconds }: MessagePageOptions): string {
  const refresh = refreshSeconds === undefined ? '' : `<meta http-equiv="refresh" content="${refreshSeconds}">`
  const back = `<p><a href="${link(visit, '/')}">${visit.tongue.say('toCurrent')}</a></p>`
  return document(visit, { title, refresh, body: `<h1>${escapeHtml(title)}</h1><p>${escapeHtml(text)}</p>${back}` })
}
