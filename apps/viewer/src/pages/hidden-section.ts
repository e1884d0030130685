import type { PollView } from '../poll-view.ts'
import type { Hiding } from '../sealing.ts'
import type { Visit } from './document.ts'
import { escapeHtml } from './html.ts'

/** In place of results that are not to be seen yet: when they will be, and what is being decided. */
export function hiddenSection(visit: Visit, view: PollView, hiding: Hiding): string {
  const { say } = visit.tongue
  const when =
    typeof hiding === 'object'
      ? say('hiddenFrom', { n: hiding.from })
      : say(hiding === 'after-voting' ? 'hiddenUntilVoted' : 'hiddenUntilClose')
  const options = view.poll.options.map(({ label }) => `<li><bdi>${escapeHtml(label)}</bdi></li>`)
  return `<section aria-labelledby="result-heading"><h2 id="result-heading">${say('resultHeading')}</h2>
<p class="notice" id="hidden">${escapeHtml(when)}</p>
<p>${say('hiddenOptions')}</p><ul>${options.join('')}</ul></section>`
}
