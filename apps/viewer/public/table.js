// @ts-check

/** @param {string} id */
export const byId = (id) => document.getElementById(id)

/** @param {Element | null} element @param {string} text */
export function setText(element, text) {
  // Writing the same text again would still make a screen reader and the layout look.
  if (element && element.textContent !== text) element.textContent = text
}

/** @param {HTMLElement | null} element @param {boolean} isShown */
export function setShown(element, isShown) {
  if (element && element.hidden === isShown) element.hidden = !isShown
}

/**
 * @typedef {ReturnType<typeof import('./shared.js').createWords>} Words
 * @typedef {{ voters: number, totals: Record<string, number>, blank: number | null,
 *   regions: Record<string, Record<string, number>>, accounting: number[] | null }} Result
 */

/**
 * @param {{ options: { id: string, label: string }[], electorate: number | null }} poll
 * @param {Result} result
 * @param {Words} words
 */
export function renderResult(poll, result, words) {
  const { voters, totals, blank } = result
  setText(byId('voters'), words.number(voters))
  if (poll.electorate) setText(byId('turnout'), words.percent(voters / poll.electorate))
  for (const { id } of poll.options) {
    renderVotes(document.querySelector(`#results tr[data-option="${CSS.escape(id)}"]`), totals[id] ?? 0, voters, words)
  }
  if (blank !== null) renderVotes(byId('blank'), blank, voters, words)
  setText(byId('lead'), words.lead(poll.options, totals))
  for (const [region, counts] of Object.entries(result.regions)) {
    const row = document.querySelector(`#regions tr[data-region="${CSS.escape(region)}"]`)
    for (const [id, count] of Object.entries(counts)) {
      setText(row?.querySelector(`[data-cell="${CSS.escape(id)}"]`) ?? null, words.number(count))
    }
  }
  if (result.accounting) {
    const numbers = byId('accounting')?.querySelectorAll('strong')
    result.accounting.forEach((count, i) => setText(numbers?.[i] ?? null, words.number(count)))
    setText(byId('changed'), words.number(result.accounting[2] ?? 0))
  }
}

/** @param {Element | null} row @param {number} votes @param {number} voters @param {Words} words */
function renderVotes(row, votes, voters, words) {
  const share = voters === 0 ? 0 : votes / voters
  setText(row?.querySelector('[data-cell=votes]') ?? null, words.number(votes))
  setText(row?.querySelector('[data-cell=share]') ?? null, words.percent(share))
  row?.querySelector('rect')?.setAttribute('width', `${(share * 100).toFixed(2)}%`)
}

/** @param {string} id @param {string[]} texts */
export function renderList(id, texts) {
  const list = byId(id)
  if (!list) return
  while (list.children.length > texts.length) list.lastElementChild?.remove()
  texts.forEach((text, i) => setText(list.children[i] ?? list.appendChild(document.createElement('li')), text))
}

const rowsPerPage = 25

/**
 * The table that says what the chart shows: newest first, a page at a time.
 *
 * @param {Words} words
 */
export function createTrendTable(words) {
  const details = /** @type {HTMLDetailsElement} */ (byId('trend-details'))
  const table = byId('trend-table')
  let first = 0
  let length = 0
  let redraw = () => {}
  /** @param {number} by */
  const turn = (by) => {
    first = Math.max(0, Math.min(first + by, Math.floor((length - 1) / rowsPerPage) * rowsPerPage))
    redraw()
  }
  byId('newer')?.addEventListener('click', () => turn(-rowsPerPage))
  byId('older')?.addEventListener('click', () => turn(rowsPerPage))
  details.addEventListener('toggle', () => {
    if (!table?.contains(document.activeElement)) redraw()
  })

  return {
    /** @param {{ caption: string, head: string[], length: number, row: (index: number) => string[] }} content rows oldest first */
    show(content) {
      const draw = () => {
        if (!details.open || !table) return
        length = content.length
        setText(table.querySelector('caption'), content.caption)
        const head = table.querySelector('thead tr')
        if (head) fill(head, content.head, 'col')
        const body = document.createElement('tbody')
        const last = Math.min(first + rowsPerPage, content.length)
        for (let i = first; i < last; i++) {
          const row = body.insertRow()
          row.dataset.index = String(content.length - 1 - i)
          fill(row, content.row(content.length - 1 - i), 'row')
        }
        table.querySelector('tbody')?.replaceWith(body)
        setShown(byId('pager'), content.length > rowsPerPage)
        setText(byId('page-text'), words.say('page', { from: first + 1, to: last, n: content.length }))
      }
      // Somebody is in it, and reads: rows must not move under a finger or a screen reader.
      if (details.open && details.contains(document.activeElement)) return
      redraw = draw
      length = content.length
      draw()
    },
    /** Opens the table at a row, and goes there. @param {number} index */
    goTo(index) {
      first = Math.floor((length - 1 - index) / rowsPerPage) * rowsPerPage
      details.open = true
      redraw()
      const row = table?.querySelector(`tr[data-index="${index}"]`)
      if (!(row instanceof HTMLElement)) return
      row.tabIndex = -1
      row.focus()
    },
  }
}

/** @param {Element} row @param {string[]} texts @param {'col' | 'row'} scope */
function fill(row, texts, scope) {
  const cells = texts.map((text, i) => {
    const cell = document.createElement(scope === 'col' || i === 0 ? 'th' : 'td')
    if (cell.tagName === 'TH') cell.setAttribute('scope', i === 0 && scope === 'row' ? 'row' : 'col')
    if (i > 0) cell.className = 'n'
    cell.textContent = text
    return cell
  })
  row.replaceChildren(...cells)
}
