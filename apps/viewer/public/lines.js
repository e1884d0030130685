// @ts-check
import { chosenLines, splitLines } from './shared.js'
import { byId, setShown, setText } from './table.js'

/**
 * Which options are lines of the chart. Whoever reads the page may choose some; of more than six of them, those with most votes
 * are drawn, and the rest as one line. The table has all of them in any case.
 *
 * @param {{ id: string, label: string }[]} options @param {ReturnType<typeof import('./shared.js').createWords>} words
 * @param {{ onChange: () => void }} listeners
 */
export function createLines(options, words, { onChange }) {
  const boxes = /** @type {HTMLInputElement[]} */ ([...document.querySelectorAll('#lines input')])
  let chosen = chosenLines(new URL(location.href).searchParams.get('opts'), options.length)
  /** @type {number[]} */
  let kept = []
  for (const box of boxes) {
    box.addEventListener('change', () => {
      // A chart without a line would say nothing.
      if (boxes.every(({ checked }) => !checked)) box.checked = true
      const checked = boxes.flatMap((each, i) => (each.checked ? [i] : []))
      chosen = checked.length === options.length ? null : checked
      onChange()
    })
  }

  return {
    /** For the address; null: all. */
    get opts() {
      return chosen && chosen.map((i) => i + 1).join(',')
    },
    /** Options that are lines of their own, and those that are one together. @param {Record<string, number>} totals */
    split(totals) {
      const votes = options.map(({ id }) => totals[id] ?? 0)
      const { own, rest } = splitLines(votes, chosen, kept)
      kept = own
      return { own, rest }
    },
    /** The key of what is drawn. @param {{ own: number[], rest: number[] }} lines @param {boolean} isShown */
    showKey({ own, rest }, isShown) {
      const legend = byId('legend')
      setShown(legend, isShown)
      const items = /** @type {HTMLElement[]} */ ([...(legend?.querySelectorAll('li[data-line]') ?? [])])
      items.forEach((item, i) => setShown(item, own.includes(i)))
      setShown(byId('legend-others'), rest.length > 0)
      setText(byId('others-name'), words.say('others', { n: rest.length }))
    },
  }
}

/**
 * Columns of all options as columns of the lines.
 *
 * @param {(number | null)[][]} columns @param {{ own: number[], rest: number[] }} lines
 */
export function columnsOfLines(columns, { own, rest }) {
  const alone = own.map((i) => columns[i] ?? [])
  if (rest.length === 0) return alone
  const [first = []] = columns
  const together = first.map((value, row) =>
    value === null ? null : rest.reduce((sum, i) => sum + (columns[i]?.[row] ?? 0), 0),
  )
  return [...alone, together]
}
