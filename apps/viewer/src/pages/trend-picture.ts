import { chosenLines, lineOf, othersLine, splitLines } from '../../public/shared.js'
import type { PollView } from '../poll-view.ts'
import type { TrendColumns } from '../trend-columns.ts'
import type { Visit } from './document.ts'
import { escapeHtml } from './html.ts'

const [width, height] = [600, 220]
/** A picture of so many points is as good as one of more. */
const pointsMax = 240

/**
 * The votes of each option over the whole poll, as a drawing that needs no script. The script puts its chart in the place.
 * It says no more than the table does, so it has no words of its own but the ends of its axes.
 */
export function trendPicture(visit: Visit, view: PollView, { startMs, counts }: TrendColumns): string {
  if (startMs.length === 0) return ''
  const { words } = visit.tongue
  const { poll } = view
  const votes = poll.options.map(({ id }) => view.totals[id] ?? 0)
  const all = poll.options.map(({ id }, i) => runningSum(counts[id] ?? [], votes[i]!))
  const { own, rest } = splitLines(votes, chosenLines(visit.parameters['opts'], votes.length))
  const together = startMs.map((_, at) => rest.reduce((sum, i) => sum + all[i]![at]!, 0))
  const drawn = own.map((i) => ({ column: all[i]!, ...lineOf(i) }))
  if (rest.length > 0) drawn.push({ column: together, ...othersLine })
  const columns = drawn.map(({ column }) => column)
  const most = Math.max(1, ...columns.flat())
  const every = Math.max(1, Math.ceil(startMs.length / pointsMax))
  const x = (i: number): number => (startMs.length === 1 ? width : (i * width) / (startMs.length - 1))
  const y = (votes: number): number => height - (votes * height) / most
  const lines = drawn.map(({ column, colour, dash }) => {
    const points = column.flatMap((votes, i) =>
      i % every === 0 || i === column.length - 1 ? [`${x(i).toFixed(1)},${y(votes).toFixed(1)}`] : [],
    )
    const dashes = dash.length === 0 ? '' : ` stroke-dasharray="${dash.join(' ')}"`
    return `<polyline class="c${colour}" points="${points.join(' ')}"${dashes}/>`
  })
  const time = (ms: number): string => escapeHtml(words.moment(ms, visit.nowMs))
  return `<div class="picture" aria-hidden="true"><span>${words.number(most)}</span>
<svg viewBox="0 0 ${width} ${height}" preserveAspectRatio="none">${lines.join('')}</svg>
<span class="ends"><span>${time(startMs[0]!)}</span><span>${time(startMs.at(-1)!)}</span></span></div>`
}

/** Votes at the end of each window, of what changed in each and how many there are at the end of all. */
function runningSum(changes: readonly number[], total: number): number[] {
  let votes = total - changes.reduce((sum, change) => sum + change, 0)
  return changes.map((change) => (votes += change))
}
