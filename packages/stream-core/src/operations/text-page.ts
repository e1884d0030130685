import { printable, table } from '../common/printable.ts'
import { titleOf } from './graph-svg.ts'
import type { Cell, PageContent, Part, Tone } from './page-parts.ts'

/** The page as plain text: for curl, for screen readers, for a mail about what was seen. It has all that the page has, and every row. */
export function textPage({ title, verdict, about, sections }: PageContent): string {
  const lines = [shown(title), `${signs[verdict.tone]} ${shown(verdict.text)}`, shown(about)]
  for (const section of sections) {
    lines.push('', `== ${section.title} ==`)
    for (const part of section.parts) lines.push(...linesOf(part))
  }
  return `${lines.join('\n')}\n`
}

const signs: { readonly [tone in Tone]: string } = { good: '[ok]', attention: '[!]', trouble: '[!!]', quiet: '[ ]' }

function linesOf(part: Part): readonly string[] {
  switch (part.kind) {
    case 'text':
      return ['', shown(part.text)]
    case 'findings':
      return part.findings.flatMap(({ tone, text, advice }) => [
        '',
        `${signs[tone]} ${shown(text)}`,
        ...(advice === '' ? [] : [`    ${shown(advice)}`]),
      ])
    case 'figures':
      return [
        '',
        table(
          ['', '', ''],
          part.figures.map(({ name, value, note }) => [name, value.text, note]),
        ).trimStart(),
      ]
    case 'table': {
      const { caption, head, rows, empty } = part
      if (rows.length === 0) return ['', `${shown(caption)}:`, shown(empty)]
      const cells = rows.map((row) => row.map(cellText))
      return ['', `${shown(caption)}:`, table(head.map(shown), cells, Infinity)]
    }
    case 'graph':
      return ['', ...part.subtopologies.map((view) => titleOf(view))]
    case 'squares':
      return ['', shown(part.label), ...part.groups.map(({ label }) => label)]
    case 'keyForm':
      return [
        '',
        'Ask with ?store=<store>&key=<key>, of one of these stores:',
        table(
          ['Store', 'Keys'],
          part.stores.map(({ name, keys }) => [name, keys]),
        ),
      ]
  }
}

const shown = (text: string): string => printable(text, Infinity)

const bars = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']

function cellText({ text, line }: Cell): string {
  if (line === undefined || line.length < 2) return text
  const most = Math.max(1, ...line)
  const newest = line.slice(-12)
  return `${text} ${newest.map((value) => bars[Math.round((value / most) * (bars.length - 1))]).join('')}`
}
