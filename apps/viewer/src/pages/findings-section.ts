import { createFindings } from '../../public/shared.js'
import type { Analytics } from '../analytics.ts'
import type { PollView } from '../poll-view.ts'
import type { Visit } from './document.ts'
import { escapeHtml } from './html.ts'

/** So many of a kind are listed on the page; the API has more. */
export const shownMax = 10

/**
 * What was found out beside the result; the script keeps the lists current. Changes of mind are known of the whole poll only, so
 * they are left out where it is shown as it stood.
 */
export function findingsSection(
  visit: Visit,
  view: PollView,
  found: Omit<Analytics, 'minutes'>,
  isFrozen: boolean,
): string {
  const { say } = visit.tongue
  const findings = createFindings(visit.tongue.words, view.poll.options, visit.nowMs)
  const rejections = Object.entries(view.rejections).filter(([, count]) => count > 0)
  const list = (id: string, heading: string, items: readonly string[], note = ''): string =>
    `<div><h3>${heading}</h3><ul id="${id}">${items.map((item) => `<li>${escapeHtml(item)}</li>`).join('')}</ul>
<p class="none muted">${say('none')}</p>${note === '' ? '' : `<p class="muted">${note}</p>`}</div>`
  const leads = found.leads.slice(-shownMax).reverse()
  const bursts = found.bursts.slice(-shownMax).reverse()
  return `<section aria-labelledby="findings-heading"><h2 id="findings-heading">${say('findingsHeading')}</h2><div class="findings">
${list('leads', say('leadsHeading'), leads.map(findings.lead))}
${view.poll.revote === 'last' && !isFrozen ? list('flows', say('flowsHeading'), found.flows.slice(0, shownMax).map(findings.flow), say('flowsNote')) : ''}
${list('rejections', say('rejectionsHeading'), rejections.map(findings.rejection))}
${list('bursts', say('burstsHeading'), bursts.map(findings.burst), say('burstsNote'))}
</div></section>`
}
