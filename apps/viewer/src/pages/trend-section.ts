import type { PollView } from '../poll-view.ts'
import type { TrendColumns } from '../trend-columns.ts'
import { link, type Visit } from './document.ts'
import { chosenLines, othersLine } from '../../public/shared.js'
import { escapeHtml } from './html.ts'
import { trendPicture } from './trend-picture.ts'
import { keyed, optionName } from './result-table.ts'

export const modes = ['total', 'share', 'interval', 'margin', 'turnout'] as const
export type Mode = (typeof modes)[number]
export const ranges = ['5m', '1h', 'all'] as const
export type Range = (typeof ranges)[number]

const rowsPerPage = 25

export interface TrendSectionOptions {
  readonly view: PollView
  readonly trend: TrendColumns
  readonly mode: Mode
  readonly range: Range
  /** Forms that ask for another view of the same poll. */
  readonly forms: string
}

/**
 * The chart, which the script draws over a picture without one, what steers it, and its twin: a table with the same numbers, here the newest minutes,
 * by the script whatever the chart shows. The chart is a picture with a name; it is stepped through with a slider, which
 * every assistive technology knows.
 */
export function trendSection(visit: Visit, { view, trend, mode, range, forms }: TrendSectionOptions): string {
  const { say } = visit.tongue
  const names = { total: say('modeTotal'), share: say('modeShare'), interval: say('modeInterval') }
  const modeChoices: [string, string][] = [...Object.entries(names), ['margin', say('modeMargin')]]
  if (view.poll.electorate !== null) modeChoices.push(['turnout', say('modeTurnout')])
  const rangeChoices: [Range, string][] = [
    ['5m', say('range5m')],
    ['1h', say('range1h')],
    ['all', say('rangeAll')],
  ]
  return `<section aria-labelledby="trend-heading">
<h2 id="trend-heading">${say('trendHeading')}</h2>
<div class="controls" id="controls" hidden>
${choice('mode', say('show'), modeChoices, mode)}
${choice('range', say('range'), rangeChoices, range)}
${lineChoice(visit, view)}
<button type="button" id="follow" hidden>${say('backToLive')}</button>
</div>
<figure aria-labelledby="trend-heading" aria-describedby="trend-note">
<div id="chart" dir="ltr" role="img" aria-labelledby="trend-heading" aria-describedby="trend-note">${trendPicture(visit, view, trend)}</div>
<p class="strip-name" id="strip-name" hidden>${say('rate')}</p>
<div id="strip" dir="ltr" role="img" aria-labelledby="strip-name" aria-describedby="trend-note"></div>
<div class="stepper" id="stepper" dir="ltr" hidden><input type="range" id="step" min="0" max="0" value="0" aria-label="${say('stepLabel')}" aria-describedby="step-help"></div>
<p id="readout" class="readout" aria-hidden="true"></p>
<ul class="legend" id="legend" aria-hidden="true">${legend(view)}</ul>
<figcaption id="trend-note">${say('chartNote')} <span id="step-help">${say('stepHelp')}</span></figcaption>
</figure>
${forms}
<details id="trend-details"><summary>${say('trendTable')}</summary>
<div class="scroll" tabindex="0" role="group" aria-label="${say('trendTable')}"><table id="trend-table">${trendTable(visit, view, trend)}</table></div>
<p class="pager" id="pager" hidden><button type="button" id="newer">${say('newer')}</button> <span id="page-text"></span> <button type="button" id="older">${say('older')}</button></p>
<p><a href="${link(visit, `/api/polls/${view.poll.id}/export.csv`, { table: 'minutes' })}">${say('csvMinutes')}</a></p>
</details>
</section>`
}

function choice(name: string, legend: string, options: readonly (readonly [string, string])[], chosen: string): string {
  const inputs = options.map(
    ([value, label]) =>
      `<label><input type="radio" name="${name}" value="${value}"${value === chosen ? ' checked' : ''}><span>${label}</span></label>`,
  )
  return `<fieldset><legend>${legend}</legend>${inputs.join('')}</fieldset>`
}

/** Which options are lines. The script shows it; without one the address decides, `opts=1,3`. */
function lineChoice({ tongue, parameters }: Visit, { poll }: PollView): string {
  if (poll.options.length < 3) return ''
  const chosen = chosenLines(parameters['opts'], poll.options.length)
  const boxes = poll.options.map(
    ({ label }, i) =>
      `<label><input type="checkbox" name="opts" value="${i + 1}"${chosen === null || chosen.includes(i) ? ' checked' : ''}> ${optionName(label, i)}</label>`,
  )
  return `<details class="menu" id="lines"><summary>${tongue.say('linesLabel')}</summary>
<fieldset class="plain"><legend>${tongue.say('linesHelp')}</legend>${boxes.join('')}</fieldset></details>`
}

const legend = ({ poll }: PollView): string =>
  `${poll.options.map(({ label }, i) => `<li data-line>${optionName(label, i)}</li>`).join('')}<li id="legend-others" hidden>${keyed(othersLine, '<span id="others-name"></span>')}</li>`

function trendTable(visit: Visit, { poll }: PollView, trend: TrendColumns): string {
  const { say, words } = visit.tongue
  const names = poll.options.map(({ label }) => `<th scope="col" class="n"><bdi>${escapeHtml(label)}</bdi></th>`)
  const rows: string[] = []
  for (let i = trend.startMs.length - 1; i >= 0 && rows.length < rowsPerPage; i--) {
    const cells = poll.options.map(({ id }) => `<td class="n">${words.number(trend.counts[id]?.[i] ?? 0)}</td>`)
    const all = poll.options.reduce((sum, { id }) => sum + (trend.counts[id]?.[i] ?? 0), 0)
    rows.push(
      `<tr><th scope="row">${escapeHtml(words.moment(trend.startMs[i]!, visit.nowMs))}</th>${cells.join('')}<td class="n">${words.number(all)}</td></tr>`,
    )
  }
  return `<caption>${say('table-interval')}</caption><thead><tr><th scope="col">${say('time')}</th>${names.join('')}<th scope="col" class="n">${say('rate')}</th></tr></thead><tbody>${rows.join('')}</tbody>`
}
