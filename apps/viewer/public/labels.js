// @ts-check
const font = '13px system-ui, sans-serif'
const gap = 8
/** Of the chart's width: more would leave too little for the lines. */
const widthMax = 0.3
const lineHeight = 16

/** @type {CanvasRenderingContext2D | null} */
let ruler = null
/** @param {string} text in CSS pixels */
export function widthOf(text) {
  ruler ??= document.createElement('canvas').getContext('2d')
  if (!ruler) return 0
  ruler.font = font
  return ruler.measureText(text).width
}

/** The canvas goes from left to right; a text with letters of the other direction keeps its own. @param {string} text */
const ownWay = (text) => (/[\u0590-\u08ff]/.test(text) ? `\u2068${text}\u2069` : text)

/** @param {string} text @param {number} width */
function shortened(text, width) {
  if (widthOf(text) <= width) return text
  let end = text.length
  while (end > 1 && widthOf(`${text.slice(0, end)}…`) > width) end--
  return `${text.slice(0, end).trim()}…`
}

/**
 * Names at the ends of the lines, so that nobody has to look up a colour. Lines of a poll that is compared with have none: they
 * have the colours of this one's. Nor has a line that is alone.
 *
 * @param {import('./chart.js').Line[]} lines @param {number} width of the chart @param {number} height
 */
export function labelsFor(lines, width, height) {
  const named = lines.length === 1 ? [] : lines.flatMap((line, i) => (line.isThin ? [] : [{ label: line.label, i }]))
  const room = Math.floor((height - 40) / lineHeight)
  const textWidth = Math.min(Math.max(0, ...named.map(({ label }) => widthOf(label))), width * widthMax)
  const texts = new Map(named.map(({ label, i }) => [i, shortened(label, textWidth)]))
  return {
    /** The space that they need at the right of the lines. */
    width: named.length === 0 ? 36 : Math.ceil(textWidth) + 2 * gap,
    /** They say as much as a key would. */
    isWhole: named.length <= room && named.every(({ label, i }) => texts.get(i) === label),
    /**
     * Writes them, each at the height of its line's end as far as there is room: the highest first, none over another.
     *
     * @param {any} plot @param {string} ink @param {string} ground @param {(index: number) => string} colour
     */
    draw(plot, ink, ground, colour) {
      const { ctx, bbox, data, scales } = plot
      const ratio = devicePixelRatio
      const step = lineHeight * ratio
      // Beside a longer poll a line may end in the middle.
      const ends = [...texts]
        .map(([i, text]) => ({ i, text, values: data[i + 1] }))
        .map((end) => ({
          ...end,
          last: data[0].findLastIndex(
            (/** @type {number} */ x, /** @type {number} */ at) => x <= scales.x.max && end.values[at] != null,
          ),
        }))
        .filter(({ last }) => last >= 0)
        .map(({ values, last, ...end }) => ({
          ...end,
          x: plot.valToPos(data[0][last], 'x', true),
          from: plot.valToPos(values[last], 'y', true),
        }))
        .sort((a, b) => a.from - b.from)
        .slice(0, room)
        .map((end) => ({ ...end, y: end.from }))
      // Down from the top, then up from the bottom: none overlaps, and none leaves the chart.
      let least = bbox.top + step / 2
      for (const end of ends) least = (end.y = Math.max(end.y, least)) + step
      let most = bbox.top + bbox.height
      for (const end of ends.toReversed()) most = (end.y = Math.min(end.y, most)) - step
      ctx.save()
      ctx.font = font.replace('13px', `${13 * ratio}px`)
      ctx.textBaseline = 'middle'
      ctx.textAlign = 'left'
      ctx.lineJoin = 'round'
      for (const { i, text, x, from, y } of ends) {
        ctx.lineWidth = ratio
        ctx.strokeStyle = colour(i)
        ctx.beginPath()
        ctx.moveTo(x, from)
        ctx.lineTo(x + (gap - 2) * ratio, y)
        ctx.stroke()
        // Lines of another poll may go on behind it.
        ctx.lineWidth = 4 * ratio
        ctx.strokeStyle = ground
        ctx.strokeText(ownWay(text), x + gap * ratio, y)
        ctx.fillStyle = ink
        ctx.fillText(ownWay(text), x + gap * ratio, y)
      }
      ctx.restore()
    },
  }
}
