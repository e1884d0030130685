// @ts-check
import { byId, setShown, setText } from './table.js'

/**
 * Steps through the chart with the keyboard: a slider, which has the left and right arrows, Page Up and Down, Home and End by
 * itself, and here the arrows up and down for the lines, Enter for the table, L for live and Escape.
 *
 * @param {{ point: (index: number | null) => void, goTo: (index: number) => void, backToLive: () => void,
 *   say: (index: number, line: number | null) => string }} actions
 */
export function createStepper({ point, goTo, backToLive, say }) {
  const slider = /** @type {HTMLInputElement} */ (byId('step'))
  const readout = byId('readout')
  setShown(byId('stepper'), true)
  let length = 0
  let lines = 0
  /** @type {number | null} */
  let line = null
  /** Nobody has stepped: it stays with the newest. */
  let isAtEnd = true

  function told() {
    const index = Number(slider.value)
    const text = say(index, line)
    slider.setAttribute('aria-valuetext', text)
    setText(readout, text)
    point(index)
  }
  slider.addEventListener('input', () => {
    isAtEnd = Number(slider.value) === length - 1
    told()
  })
  slider.addEventListener('blur', () => {
    point(null)
    setText(readout, '')
  })
  slider.addEventListener('keydown', (event) => {
    const { key } = event
    if (key === 'ArrowUp' || key === 'ArrowDown') {
      // Through all lines, and the whole picture between the last and the first.
      const next = (line ?? -1) + (key === 'ArrowDown' ? 1 : -1)
      line = next === -1 || next === lines ? null : next === -2 ? lines - 1 : next
      told()
    } else if (key === 'Enter') goTo(Number(slider.value))
    else if (key === 'Escape') slider.blur()
    else if (key === 'l' || key === 'L') {
      isAtEnd = true
      slider.value = String(length - 1)
      backToLive()
    } else if (key === 'PageUp' || key === 'PageDown') {
      slider.value = String(Number(slider.value) + (key === 'PageUp' ? 10 : -10))
      isAtEnd = Number(slider.value) === length - 1
      told()
    } else return
    event.preventDefault()
  })

  return {
    /** New data: so many points of so many lines, the last `shift` of which are new. @param {number} points @param {number} of @param {number} shift */
    resize(points, of, shift) {
      const index = isAtEnd ? points - 1 : Math.max(0, Number(slider.value) - shift)
      length = points
      lines = of
      if (line !== null && line >= of) line = null
      slider.max = String(Math.max(0, points - 1))
      slider.value = String(index)
      if (document.activeElement === slider) point(Number(slider.value))
    },
    /** What the mouse is at. @param {number | null} index */
    hover(index) {
      if (document.activeElement !== slider) setText(readout, index === null ? '' : say(index, null))
    },
  }
}
