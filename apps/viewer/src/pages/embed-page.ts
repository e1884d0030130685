import { type PollView, statusOf } from '../poll-view.ts'
import { document, link, refreshWithoutScript, type Visit } from './document.ts'
import { hiddenSection } from './hidden-section.ts'
import { escapeHtml } from './html.ts'
import { resultTable } from './result-table.ts'
import { pollData } from './results-page.ts'
import { chipText, pauseButton, stateLine } from './state-line.ts'

/** The result as a part of somebody else's page: state, table, and the way to the whole page. It tells its height. */
export function embedPage(visit: Visit, view: PollView): string {
  const { poll } = view
  const { say } = visit.tongue
  return document(visit, {
    title: `${chipText(visit, statusOf(view, visit.nowMs))} · ${poll.title}`,
    refresh: ['closed', 'final'].includes(statusOf(view, visit.nowMs)) ? '' : refreshWithoutScript,
    isEmbedded: true,
    body: `<h1><bdi>${escapeHtml(poll.title)}</bdi></h1>
${stateLine(visit, view)}
<div class="tools">${pauseButton(visit)}</div>
${view.hiding === null ? resultTable(visit, { view, recent: null, isByVotes: false, isPlain: true }) : hiddenSection(visit, view, view.hiding)}
<p><a href="${link(visit, `/p/${poll.slug}`)}" target="_blank" rel="noopener">${say('embedOpen')}</a></p>`,
    scripts: `${pollData(visit, view)}
<script type="module" src="${visit.assets.get('embed.js')}"></script>`,
  })
}
