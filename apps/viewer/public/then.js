// @ts-check
import { byId } from './table.js'

/**
 * In place of a live connection for a page that shows a poll as it stood: nothing changes there but what the reader asks for.
 *
 * @param {{ poll: string, res?: () => string, since: () => number, onFrame: (frame: any) => void }} options
 */
export function showThen({ poll, res, onFrame }) {
  const { at } = JSON.parse(byId('poll-data')?.textContent ?? '{}')
  async function subscribe() {
    if (!res) return
    const to = new Date(at).toISOString()
    const response = await fetch(`/api/polls/${encodeURIComponent(poll)}/trends?window=${res()}&to=${to}`)
    if (!response.ok) return
    const { window, start, counts } = await response.json()
    const starts = start.map(Date.parse)
    const step = starts.length > 1 ? starts[1] - starts[0] : 0
    onFrame({ t: 'snap', trend: { res: window, t0: starts[0] ?? null, step, cols: Object.values(counts) } })
  }
  void subscribe()
  return { subscribe: () => void subscribe() }
}
