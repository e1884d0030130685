import { createHash } from 'node:crypto'
import { graphSvg, titleOf } from './graph-svg.ts'
import { escaped, quoted } from './html-escape.ts'
import type { Cell, PageContent, Part, Section, SquareGroup, Table } from './page-parts.ts'
import { count } from './phrases.ts'
import { pageScript } from './page-script.ts'
import { pageStyle } from './page-style.ts'

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** Nothing but what the page itself brings may run, be shown, or be asked; and nobody may frame it. */
export const contentSecurityPolicy = [
  "default-src 'none'",
  `script-src ${hashOf(pageScript)}`,
  `style-src ${hashOf(pageStyle)}`,
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

export interface HtmlOptions {
  /** Where the page is. */
  readonly path: string
  /** Seconds after which a page without a script loads itself again; null: not at all. */
  readonly refreshSeconds: number | null
  /** What is asked for, as `?store=…&key=…`, or ''. */
  readonly query: string
}

/** The page, whole without a script; with it, it keeps itself current. */
export function htmlPage(content: PageContent, options: HtmlOptions): string {
  const { title, verdict, about, sections } = content
  const { path, refreshSeconds, query } = options
  const link = (address: string, text: string): string => `<a href="${quoted(address)}">${text}</a>`
  const refresh = refreshSeconds === null ? '' : `<meta http-equiv="refresh" content="${refreshSeconds}">`
  const again = query === '' ? '?refresh=10' : `${query}&refresh=10`
  const contents = sections.map(({ id, title: name }) => `<li>${link(`#${id}`, escaped(name))}</li>`)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${refresh}<title>${escaped(`${verdict.text} - ${title}`)}</title>
<style>${pageStyle}</style>
</head>
<body>
<a class="skip" href="#content">To the content</a>
<header>
<div class="bar">
<h1>${escaped(title)}</h1>
<p id="verdict" class="chip ${verdict.tone}" role="status">${signOf(verdict.tone)}${escaped(verdict.text)}</p>
</div>
<div class="bar">
<p id="about" class="quiet" data-live>${escaped(about)}</p>
<p class="links"><button id="pause" type="button" hidden>Pause updates</button>
${link(`${path}.txt${query}`, 'As text')} ${link(`${path}.json${query}`, 'As JSON')} ${link(`${path}/topology.txt`, 'Topology as text')} ${link(`${path}/topology.mmd`, 'as Mermaid')}</p>
</div>
<p id="stale" class="stale" role="alert" hidden></p>
<p id="still" class="quiet">This page is as it was when it was loaded. ${link(path + query, 'Load it again')}, or ${link(path + again, 'let it load itself every 10 s')}.</p>
<nav aria-label="Sections"><ul>${contents.join('')}</ul></nav>
</header>
<main id="content">
${sections.map((section) => sectionHtml(section, path)).join('\n')}
</main>
<script>${pageScript}</script>
</body>
</html>
`
}

/** Each is replaced as a whole when it has changed. */
const sectionHtml = ({ id, title, parts }: Section, path: string): string =>
  `<section id="${id}" data-live aria-labelledby="${id}-title">
<h2 id="${id}-title">${escaped(title)}</h2>
${parts.map((part) => partHtml(part, path)).join('\n')}
</section>`

function partHtml(part: Part, path: string): string {
  switch (part.kind) {
    case 'text':
      return `<p class="${part.tone ?? 'said'}">${escaped(part.text)}</p>`
    case 'findings':
      return `<ul class="findings">${part.findings
        .map(({ tone, text, advice }) => {
          const more = advice === '' ? '' : `<p class="advice">${escaped(advice)}.</p>`
          return `<li class="${tone}"><p>${signOf(tone)}${escaped(text)}.</p>${more}</li>`
        })
        .join('')}</ul>`
    case 'figures':
      return `<dl class="figures">${part.figures
        .map(
          ({ name, value, note }) =>
            `<div><dt>${escaped(name)}</dt><dd class="${value.tone ?? ''}">${escaped(value.text)}</dd>` +
            `${note === '' ? '' : `<dd class="note">${escaped(note)}</dd>`}</div>`,
        )
        .join('')}</dl>`
    case 'table':
      return tableHtml(part)
    case 'graph':
      return part.subtopologies
        .map((view) => {
          const picture = scrolling(`Picture of part ${view.id}`, graphSvg(view))
          return `<h3>${escaped(titleOf(view))}</h3>\n${picture}`
        })
        .join('\n')
    case 'squares':
      return squaresHtml(part.label, part.groups)
    case 'keyForm':
      return keyFormHtml(part, path)
  }
}

/** Wide things scroll in themselves, by keyboard too. */
const scrolling = (label: string, inner: string): string =>
  `<div class="scroll" role="region" aria-label="${escaped(label)}" tabindex="0">${inner}</div>`

function tableHtml({ caption, head, rows, empty, rowsOnPage = Infinity, isFolded = false }: Table): string {
  if (rows.length === 0) return `<h3>${escaped(caption)}</h3>\n<p class="quiet">${escaped(empty)}</p>`
  const isNumber = head.map((_, i) => rows[0]![i]?.isNumber === true)
  const heads = head.map((name, i) => {
    if (name === '') return '<td></td>'
    return `<th scope="col"${isNumber[i] ? ' class="number"' : ''}>${escaped(name)}</th>`
  })
  const shown = rows.slice(0, rowsOnPage)
  const body = shown.map((row) => `<tr>${row.map((cell, i) => cellHtml(cell, i === 0)).join('')}</tr>`)
  const left = rows.length - shown.length
  const more =
    left === 0
      ? ''
      : `<p class="quiet">The first ${count(shown.length)} of ${count(rows.length)}, those that need attention before others; the text has all.</p>`
  const table = `<table><thead><tr>${heads.join('')}</tr></thead><tbody>${body.join('')}</tbody></table>`
  const whole = `${scrolling(caption, table)}${more}`
  if (isFolded) return `<details><summary>${escaped(caption)}</summary>${whole}</details>`
  return `<h3>${escaped(caption)}</h3>\n${whole}`
}

function cellHtml({ text, tone, isNumber = false, done, line }: Cell, isFirst: boolean): string {
  const classes = [...(isNumber ? ['number'] : []), ...(tone === undefined ? [] : [tone])]
  const attribute = classes.length === 0 ? '' : ` class="${classes.join(' ')}"`
  const bar = done === undefined ? '' : `<progress max="1" value="${done.toFixed(3)}" aria-hidden="true"></progress>`
  const drawn = line === undefined ? '' : sparkline(line)
  const inner = `${drawn}${bar}${escaped(text)}`
  return isFirst ? `<th scope="row"${attribute}>${inner}</th>` : `<td${attribute}>${inner}</td>`
}

function sparkline(values: readonly number[]): string {
  if (values.length < 2) return ''
  const most = Math.max(1, ...values)
  const points = values.map((value, i) => {
    return `${((i / (values.length - 1)) * 60).toFixed(1)},${(16 - (value / most) * 14).toFixed(1)}`
  })
  return `<svg class="line" width="62" height="18" viewBox="-1 0 62 18" aria-hidden="true"><polyline points="${points.join(' ')}"/></svg>`
}

const perRow = 50
const step = 14

function squaresHtml(label: string, groups: readonly SquareGroup[]): string {
  return groups
    .map(({ label: name, squares }) => {
      const rows = Math.ceil(squares.length / perRow)
      const columns = Math.min(perRow, squares.length)
      const drawn = squares.map(({ title, tone }, i) => {
        const [x, y] = [(i % perRow) * step, Math.floor(i / perRow) * step]
        return `<rect class="${tone}" x="${x}" y="${y}" width="11" height="11" rx="2"><title>${escaped(title)}</title></rect>`
      })
      const size = `width="${columns * step}" height="${rows * step}"`
      const picture = `<svg class="squares" role="img" aria-label="${escaped(`${name}, ${label}`)}" ${size}>${drawn.join('')}</svg>`
      return `<div class="group"><span>${escaped(name)}</span>${scrolling(`Tasks of ${name}`, picture)}</div>`
    })
    .join('')
}

function keyFormHtml({ stores, store, key }: Part & { readonly kind: 'keyForm' }, path: string): string {
  const options = stores.map(({ name, keys }) => {
    const selected = name === store ? ' selected' : ''
    return `<option value="${quoted(name)}"${selected}>${escaped(`${name} (${keys})`)}</option>`
  })
  return `<form action="${quoted(path)}#key" method="get">
<label>Store <select name="store">${options.join('')}</select></label>
<label class="wide">Key <input name="key" value="${quoted(key)}" required maxlength="1000" autocomplete="off" spellcheck="false"></label>
<button type="submit">Explain</button>
</form>`
}

const signs: { readonly [tone: string]: string } = { good: '✓', attention: '!', trouble: '✕', quiet: '·' }
const signOf = (tone: string): string => `<span class="sign" aria-hidden="true">${signs[tone]}</span>`
