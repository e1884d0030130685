// @ts-check
import uPlot from 'uplot'
import { labelsFor, widthOf } from './labels.js'
import { stripOptions, sync } from './strip.js'

/**
 * One line of the chart. `colour` is the number of a colour of the palette; `isThin`: of a poll that is compared with.
 *
 * @typedef {{ label: string, colour: number, dash: readonly number[], isThin?: boolean }} Line
 * @typedef {{ x: number[], columns: (number | null)[][], lines: Line[], from: number, to: number, isElapsed: boolean,
 *   isShare: boolean, isStepped: boolean, rates: (number | null)[][] }} Picture x in seconds: of the clock, or since the
 *   opening; `rates`: votes per minute, of this poll and of the one that it is compared with
 */

/**
 * The trend chart, and below it a strip on the same axis: columns of numbers in, two canvases out. It draws at most once per
 * animation frame.
 *
 * @param {HTMLElement} host @param {HTMLElement} stripHost
 * @param {ReturnType<typeof import('./shared.js').createWords>} words
 * @param {{ onZoom: () => void, onPoint: (index: number | null) => void }} listeners
 */
export function createChart(host, stripHost, words, { onZoom, onPoint }) {
  const styles = getComputedStyle(document.documentElement)
  /** @param {string} name */
  const color = (name) => styles.getPropertyValue(name).trim()
  const height = () => (host.clientWidth < 540 ? 230 : 300)
  /** Follow the newest data; off after the user has zoomed. */
  let isFollowing = true
  let frame = 0
  /** @type {Picture | null} */
  let pending = null
  /** @type {Picture | null} */
  let shown = null
  /** @type {any} */
  let plot = null
  /** @type {any} */
  let strip = null
  /** Both have their numbers in the same width, so that one time is below the other. */
  let axisWidth = 0
  /** @type {ReturnType<typeof labelsFor> | null} */
  let labels = null
  /** The point that was chosen by keyboard: it stays when new data comes. @type {number | null} */
  let chosen = null
  const stepped = uPlot.paths.stepped?.({ align: 1 })
  const linear = uPlot.paths.linear?.()

  /** @param {Picture} picture */
  function build(picture) {
    plot?.destroy()
    strip?.destroy()
    strip = null
    // What the server has drawn, for those without a script.
    host.querySelector('.picture')?.remove()
    const { isElapsed, isShare, lines } = picture
    const labelled = labelsFor(lines, host.clientWidth, height())
    labels = labelled
    const axis = {
      stroke: () => color('--muted'),
      grid: { stroke: () => color('--line'), width: 1 },
      ticks: { stroke: () => color('--line'), width: 1 },
      font: '13px system-ui, sans-serif',
    }
    const right = Math.max(36, labelled.width)
    const whole = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6]
    plot = new uPlot(
      /** @type {any} */ ({
        width: host.clientWidth,
        height: height(),
        // The same zone as everywhere on the page.
        tzDate: (/** @type {number} */ seconds) => uPlot.tzDate(new Date(seconds * 1000), 'UTC'),
        // Names at the ends of the lines; without them the last time, which is half beyond the edge.
        padding: [null, right, null, null],
        legend: { show: false },
        cursor: { drag: { x: true, y: false }, sync },
        scales: {
          x: { time: !isElapsed },
          y: {
            range: (/** @type {any} */ _plot, /** @type {number} */ min, /** @type {number} */ max) =>
              isShare
                ? [0, Math.max(0.05, (max ?? 0) * 1.08)]
                : [Math.min(0, min ?? 0), Math.max(5, (max ?? 0) * 1.08)],
          },
        },
        axes: [
          {
            ...axis,
            space: 90,
            values: isElapsed ? elapsedLabels : timeLabels,
            // Minutes, hours and days, not tens and hundreds of seconds.
            ...(isElapsed && { incrs: [60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400, 604_800] }),
          },
          {
            ...axis,
            size: () => axisWidth,
            incrs: isShare ? [0.01, 0.02, 0.05, 0.1, 0.2, 0.5] : whole,
            values: (/** @type {any} */ _plot, /** @type {number[]} */ splits) =>
              splits.map(isShare ? plainPercents : words.number),
          },
        ],
        series: [
          {},
          ...lines.map(({ label, colour, dash, isThin }) => ({
            label,
            stroke: () => color(`--c${colour}`),
            width: isThin ? 1 : 2,
            dash: isThin ? [4, 4] : dash,
            points: { show: false },
            // Counts go up in steps; a curve would show votes that were never there.
            paths: (/** @type {any[]} */ ...args) =>
              (shown?.isStepped ? stepped : linear)?.(.../** @type {[any, any, any, any]} */ (args)),
          })),
        ],
        hooks: {
          draw: [
            (/** @type {any} */ drawn) =>
              labelled.draw(drawn, color('--ink'), color('--ground'), (i) => color(`--c${lines[i]?.colour ?? 0}`)),
          ],
          setScale: [
            (/** @type {any} */ { scales }, /** @type {string} */ key) => {
              if (key === 'x') strip?.setScale('x', { min: scales.x.min, max: scales.x.max })
            },
          ],
          setSelect: [
            () => {
              isFollowing = false
              onZoom()
            },
          ],
          setCursor: [
            (/** @type {any} */ { cursor }) => {
              if (cursor.event) onPoint(cursor.left < 0 ? null : cursor.idx)
            },
          ],
        },
      }),
      /** @type {any} */ ([[], ...lines.map(() => [])]),
      host,
    )
    const count = picture.rates.length
    strip = new uPlot(
      /** @type {any} */ (
        stripOptions({
          width: stripHost.clientWidth,
          right,
          axis,
          axisSize: () => axisWidth,
          count,
          isElapsed,
          format: words.number,
          color,
          incrs: whole,
          onPoint,
        })
      ),
      /** @type {any} */ ([[], ...picture.rates.map(() => [])]),
      stripHost,
    )
  }

  /** How wide the numbers of the axes are: a phone has no room to spare. @param {Picture} picture */
  function axisWidthOf({ columns, rates, isShare }) {
    const most = (/** @type {(number | null)[][]} */ all) =>
      all.reduce((max, column) => column.reduce((/** @type {number} */ m, value) => Math.max(m, value ?? 0), max), 5)
    const texts = [
      words.number(Math.round(most(rates) * 1.08)),
      isShare ? plainPercents(1) : words.number(most(columns)),
    ]
    return Math.ceil(Math.max(...texts.map(widthOf))) + 24
  }

  /** @param {Picture} a @param {Picture | null} b */
  const hasSameForm = (a, b) =>
    b !== null &&
    a.isElapsed === b.isElapsed &&
    a.isShare === b.isShare &&
    a.lines.length === b.lines.length &&
    a.rates.length === b.rates.length &&
    a.lines.every((line, i) => line.label === b.lines[i]?.label && line.colour === b.lines[i]?.colour)

  function draw() {
    frame = 0
    if (!pending) return
    const picture = pending
    pending = null
    // What is zoomed into stays so in another width, and beside other lines.
    const zoom = isFollowing || !plot || shown?.isElapsed === !picture.isElapsed ? null : { ...plot.scales.x }
    axisWidth = axisWidthOf(picture)
    if (!hasSameForm(picture, shown)) build(picture)
    shown = picture
    const range = zoom ? { min: zoom.min, max: zoom.max } : { min: picture.from, max: picture.to }
    const drawings = [
      [strip, picture.rates],
      [plot, picture.columns],
    ]
    for (const [drawing, columns] of drawings) {
      drawing.batch(() => {
        drawing.setData([picture.x, ...columns], false)
        drawing.setScale('x', { ...range })
      })
    }
    if (chosen !== null) point(chosen)
  }

  /** @param {number | null} index */
  function point(index) {
    chosen = index
    if (!plot || !shown) return
    const left = index === null ? -10 : plot.valToPos(shown.x[index], 'x')
    plot.setCursor({ left, top: index === null ? -10 : 0 }, false, true)
  }

  /**
   * Below the first label, and wherever another day begins, stands the date.
   *
   * @param {unknown} _plot @param {number[]} splits in seconds @param {number} _axis @param {number} _space
   * @param {number} step in seconds
   */
  function timeLabels(_plot, splits, _axis, _space, step) {
    let day = ''
    return splits.map((seconds) => {
      const ms = seconds * 1000
      const [before, clock] = [day, ownWay(plain(words.clock(ms, step < 60)))]
      day = ownWay(plain(words.day(ms)))
      return day === before ? clock : `${clock}\n${day}`
    })
  }
  /** @param {unknown} _plot @param {number[]} splits in seconds */
  const elapsedLabels = (_plot, splits) => splits.map((seconds) => ownWay(words.elapsed(seconds * 1000)))
  /** The canvas goes from left to right; hours and minutes are in the order of the page's language. @param {string} text */
  const ownWay = (text) => (document.documentElement.dir === 'rtl' ? `\u2067${text}\u2069` : text)

  new ResizeObserver(() => {
    requestAnimationFrame(() => {
      if (!plot || (plot.width === host.clientWidth && plot.height === height())) return
      // Its names have another width now.
      pending ??= shown
      shown = null
      draw()
    })
  }).observe(host)
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    plot?.redraw(false)
    strip?.redraw(false)
  })

  const plainPercents = (/** @type {number} */ share) => plain(words.percents(share))

  /** A canvas writes from left to right; marks for the other way would only tear a date apart. @param {string} text */
  function plain(text) {
    return text.replace(/[\u200e\u200f]/g, '')
  }

  return {
    /** @param {Picture} picture */
    show(picture) {
      pending = picture
      frame ||= requestAnimationFrame(draw)
    },
    follow() {
      isFollowing = true
    },
    /** Marks a point of the x axis; null: none. */
    point,
    /** Every line has its whole name beside it. */
    isLabelled: () => labels?.isWhole ?? false,
    color,
  }
}
