// @ts-check
import { formatClock, formatDay, lineOf } from './shared.js'
import uPlot from './uplot.js'

/**
 * The trend chart: columns of numbers in, one canvas out. It draws at most once per animation frame.
 *
 * @param {HTMLElement} host
 * @param {{ label: string }[]} options
 */
export function createChart(host, options) {
  const styles = getComputedStyle(document.documentElement)
  /** @param {string} name */
  const color = (name) => styles.getPropertyValue(name).trim()
  const height = () => (host.clientWidth < 540 ? 230 : 300)
  /** Follow the newest data; off after the user has zoomed. */
  let isFollowing = true
  /** @type {() => void} */
  let onZoom = () => undefined
  let frame = 0
  /** @type {any} */
  let pending = null
  let isCumulative = true
  const stepped = uPlot.paths.stepped({ align: 1 })
  const linear = uPlot.paths.linear()

  const axis = {
    stroke: () => color('--muted'),
    grid: { stroke: () => color('--line'), width: 1 },
    ticks: { stroke: () => color('--line'), width: 1 },
    font: '13px system-ui, sans-serif',
  }
  const plot = new uPlot(
    {
      width: host.clientWidth,
      height: height(),
      // The same zone as everywhere on the page.
      tzDate: (/** @type {number} */ seconds) => uPlot.tzDate(new Date(seconds * 1000), 'UTC'),
      // A label at the right edge is as wide as the time in it.
      padding: [null, 36, null, null],
      legend: { show: false },
      cursor: { drag: { x: true, y: false } },
      scales: {
        x: { time: true },
        y: { range: (_u, min, max) => [Math.min(0, min ?? 0), Math.max(5, (max ?? 0) * 1.08)] },
      },
      axes: [
        { ...axis, space: 90, values: timeLabels },
        {
          ...axis,
          size: 56,
          incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6],
        },
      ],
      series: [
        {},
        ...options.map(({ label }, i) => ({
          label,
          stroke: () => color(`--c${lineOf(i).colour}`),
          width: 2,
          dash: lineOf(i).dash,
          points: { show: false },
          // Counts go up in steps; a curve would show votes that were never there.
          paths: (...args) => (isCumulative ? stepped : linear)(...args),
        })),
      ],
      hooks: {
        setSelect: [
          () => {
            isFollowing = false
            onZoom()
          },
        ],
      },
    },
    [[], ...options.map(() => [])],
    host,
  )

  function draw() {
    frame = 0
    if (!pending) return
    const { columns, from, to } = pending
    pending = null
    plot.batch(() => {
      plot.setData(columns, false)
      if (isFollowing) plot.setScale('x', { min: from, max: to })
      else plot.redraw()
    })
  }

  new ResizeObserver(() => {
    requestAnimationFrame(() => plot.setSize({ width: host.clientWidth, height: height() }))
  }).observe(host)
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => plot.redraw(false))

  return {
    /**
     * @param {number[][]} columns times in seconds, then one column per option
     * @param {number} from
     * @param {number} to
     * @param {boolean} cumulative
     */
    show(columns, from, to, cumulative) {
      isCumulative = cumulative
      pending = { columns, from, to }
      frame ||= requestAnimationFrame(draw)
    },
    follow() {
      isFollowing = true
    },
    /** @param {() => void} listener */
    onZoom(listener) {
      onZoom = listener
    },
  }
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
    const [before, clock] = [day, formatClock(ms, step < 60)]
    day = formatDay(ms)
    return day === before ? clock : `${clock}\n${day}`
  })
}
