// @ts-check
/**
 * The strip below the chart: how many votes came in a minute, on the same axis of time. It has no labels of its own there,
 * for they stand between the two.
 *
 * @typedef {import('./chart.js').Picture} Picture
 */

/** Two charts that have this in common share their cursor. */
export const syncKey = 'trend'
/** The cursor goes with the mouse of the other; what is zoomed into is handed on by the chart. */
export const sync = {
  key: syncKey,
  setSeries: false,
  scales: ['x', null],
  filters: { pub: (/** @type {string} */ type) => type === 'mousemove' },
}

export const stripHeight = 84

/**
 * @param {{ width: number, right: number, axis: object, axisSize: () => number, count: number, isElapsed: boolean,
 *   format: (n: number) => string, color: (name: string) => string, incrs: number[],
 *   onPoint: (index: number | null) => void }} look `count`: one for the poll, one more for what it is compared with
 */
export const stripOptions = ({ width, right, axis, axisSize, count, isElapsed, format, color, incrs, onPoint }) => ({
  width,
  height: stripHeight,
  padding: [8, right, 0, null],
  legend: { show: false },
  cursor: { drag: { x: false, y: false }, sync },
  scales: {
    x: { time: !isElapsed },
    y: {
      range: (/** @type {any} */ _plot, /** @type {number} */ min, /** @type {number} */ max) => [
        Math.min(0, min ?? 0),
        Math.max(5, (max ?? 0) * 1.08),
      ],
    },
  },
  axes: [
    { ...axis, space: 90, size: 6, values: (/** @type {any} */ _plot, /** @type {number[]} */ at) => at.map(() => '') },
    {
      ...axis,
      size: axisSize,
      space: 24,
      incrs,
      values: (/** @type {any} */ _plot, /** @type {number[]} */ splits) => splits.map(format),
    },
  ],
  series: [
    {},
    ...Array.from({ length: count }, (_, i) => ({
      stroke: () => color('--muted'),
      width: i === 0 ? 1.5 : 1,
      ...(i > 0 && { dash: [4, 4] }),
      ...(i === 0 && { fill: () => color('--line') }),
      points: { show: false },
    })),
  ],
  hooks: {
    setCursor: [
      (/** @type {any} */ { cursor }) => {
        if (cursor.event) onPoint(cursor.left < 0 ? null : cursor.idx)
      },
    ],
  },
})
