// @ts-check
import { formatTime } from './shared.js'

const number = new Intl.NumberFormat('en')
const percent = new Intl.NumberFormat('en', { style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 })

/** @param {string} id */
export const byId = (id) => document.getElementById(id)

/** @param {Element | null} element @param {string} text */
export function setText(element, text) {
  // Writing the same text again would still make a screen reader and the layout look.
  if (element && element.textContent !== text) element.textContent = text
}

/**
 * @param {{ options: { id: string, label: string }[], electorate: number | null }} poll
 * @param {{ voters: number, totals: Record<string, number>, regions: Record<string, Record<string, number>>, accounting: number[] | null }} result
 */
export function renderResult(poll, result) {
  const { voters, totals } = result
  setText(byId('voters'), number.format(voters))
  if (poll.electorate) setText(byId('turnout'), percent.format(voters / poll.electorate))
  for (const { id } of poll.options) {
    const row = document.querySelector(`#results tr[data-option="${CSS.escape(id)}"]`)
    const votes = totals[id] ?? 0
    const share = voters === 0 ? 0 : votes / voters
    setText(row?.querySelector('[data-cell=votes]') ?? null, number.format(votes))
    setText(row?.querySelector('[data-cell=share]') ?? null, percent.format(share))
    row?.querySelector('rect')?.setAttribute('width', `${(share * 100).toFixed(2)}%`)
  }
  const ranked = poll.options
    .map(({ id, label }) => ({ label, votes: totals[id] ?? 0 }))
    .sort((a, b) => b.votes - a.votes)
  if (ranked.length > 1 && ranked[0].votes > 0) {
    const [first, second] = ranked
    setText(
      byId('lead'),
      first.votes === second.votes ? 'Tied' : `${first.label}, by ${number.format(first.votes - second.votes)}`,
    )
  }
  for (const [region, counts] of Object.entries(result.regions)) {
    const row = document.querySelector(`#regions tr[data-region="${CSS.escape(region)}"]`)
    for (const [id, count] of Object.entries(counts)) {
      setText(row?.querySelector(`[data-cell="${CSS.escape(id)}"]`) ?? null, number.format(count))
    }
  }
  if (result.accounting) renderAccounting(result.accounting)
}

/** @param {number[]} columns recorded, accepted, superseded, rejected, duplicates */
function renderAccounting(columns) {
  const numbers = byId('accounting')?.querySelectorAll('strong')
  columns.forEach((count, i) => setText(numbers?.[i] ?? null, number.format(count)))
}

/**
 * @param {{ options: { id: string, label: string }[] }} poll
 * @param {{ startMs: number, counts: number[] }[]} windows newest last
 * @param {string} caption
 * @param {number} nowMs
 */
export function renderTrendTable(poll, windows, caption, nowMs) {
  const table = byId('trend-table')
  const body = document.createElement('tbody')
  for (const { startMs, counts } of windows.slice(-25).reverse()) {
    const row = body.insertRow()
    const head = document.createElement('th')
    head.scope = 'row'
    head.textContent = formatTime(startMs, nowMs)
    row.append(head)
    for (let i = 0; i < poll.options.length; i++) {
      const cell = row.insertCell()
      cell.className = 'n'
      cell.textContent = number.format(counts[i] ?? 0)
    }
  }
  const old = table?.querySelector('tbody')
  if (old) old.replaceWith(body)
  setText(table?.querySelector('caption') ?? null, caption)
}
