// @ts-check
const margin = 24

/** @param {CanvasRenderingContext2D} ctx @param {string} text @param {number} width */
function wrapped(ctx, text, width) {
  /** @type {string[]} */
  const lines = []
  for (const word of text.split(' ')) {
    const longer = lines.length === 0 ? word : `${lines.at(-1)} ${word}`
    if (lines.length > 0 && ctx.measureText(longer).width <= width) lines[lines.length - 1] = longer
    else lines.push(word)
  }
  return lines
}

/**
 * The chart as an image that can stand alone: with the question, with what state the poll is in and up to when was counted, and
 * with a key, so that what is passed on without the page still says how far it may be trusted.
 *
 * @param {HTMLCanvasElement} chart
 * @param {{ title: string, notes: string[], source: string, isRightToLeft: boolean, color: (name: string) => string,
 *   key: { label: string, color: string, dash: readonly number[] }[] }} around
 * @returns {Promise<Blob | null>}
 */
export function imageOf(chart, { title, notes, source, isRightToLeft, color, key }) {
  const ratio = chart.width / chart.clientWidth
  const image = document.createElement('canvas')
  const ctx = image.getContext('2d')
  if (!ctx) return Promise.resolve(null)
  const width = chart.clientWidth + 2 * margin
  const x = isRightToLeft ? width - margin : margin
  /** @param {number} size @param {string} [weight] */
  const setFont = (size, weight = '') => (ctx.font = `${weight} ${size}px system-ui, sans-serif`)
  setFont(22, 'bold')
  const titles = wrapped(ctx, title, chart.clientWidth)
  setFont(14)
  const texts = notes.flatMap((note) => wrapped(ctx, note, chart.clientWidth))
  const top = margin + titles.length * 28 + texts.length * 20 + 12
  const height = top + chart.clientHeight + key.length * 22 + 20 + margin
  image.width = Math.round(width * ratio)
  image.height = Math.round(height * ratio)
  ctx.scale(ratio, ratio)
  ctx.fillStyle = color('--ground')
  ctx.fillRect(0, 0, width, height)
  ctx.direction = isRightToLeft ? 'rtl' : 'ltr'
  ctx.textAlign = 'start'
  ctx.textBaseline = 'top'
  let y = margin
  /** @param {string} text @param {number} step @param {number} [indent] */
  const write = (text, step, indent = 0) => {
    ctx.fillText(text, isRightToLeft ? x - indent : x + indent, y)
    y += step
  }
  ctx.fillStyle = color('--ink')
  setFont(22, 'bold')
  for (const line of titles) write(line, 28)
  setFont(14)
  for (const line of texts) write(line, 20)
  ctx.drawImage(chart, margin, top, chart.clientWidth, chart.clientHeight)
  y = top + chart.clientHeight + 4
  for (const { label, color: stroke, dash } of key) {
    ctx.strokeStyle = stroke
    ctx.lineWidth = 3
    ctx.setLineDash([...dash])
    ctx.beginPath()
    ctx.moveTo(isRightToLeft ? x - 30 : x, y + 8)
    ctx.lineTo(isRightToLeft ? x : x + 30, y + 8)
    ctx.stroke()
    write(label, 22, 40)
  }
  ctx.fillStyle = color('--muted')
  setFont(12)
  write(source, 0)
  return new Promise((resolve) => image.toBlob(resolve))
}

/** Hands a file to whoever asked for it. @param {Blob} blob @param {string} name */
export function save(blob, name) {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}
