import type { Poll } from '../poll-repository.ts'
import { problemBox } from './ballot.ts'
import { type Html, html } from './html.ts'
import { stateOf, when } from './poll-words.ts'

export interface OrganiserPageOptions {
  readonly bar: Html
  readonly polls: readonly Poll[]
  /** The form for a new poll. */
  readonly form: Html
  readonly problem: string | null
}

const timesOf = (poll: Poll, nowMs: number): string => {
  const state = stateOf(poll, nowMs)
  if (state === 'draft') return poll.run > 1 ? `draft of run ${poll.run}` : 'draft'
  const time = `${when.format(state === 'scheduled' ? poll.opensAtMs : poll.closesAtMs)} UTC`
  return `${state} · ${state === 'scheduled' ? 'opens' : state === 'open' ? 'until' : 'until'} ${time}`
}

/** The organiser's polls by what can be done with them, and a form for another. */
export function organiserPage({ bar, polls, form, problem }: OrganiserPageOptions): Html {
  const nowMs = Date.now()
  const column = (title: string, states: readonly string[], none: string): Html => {
    const found = polls.filter((poll) => states.includes(stateOf(poll, nowMs)))
    return html`<section>
      <h2>${title}</h2>
      ${
        found.length === 0
          ? html`<p class="small">${none}</p>`
          : html`<ul class="cards">
              ${found.map(
                (poll) =>
                  html`<li>
                    <a class="card" href="/organiser/polls/${poll.id}"
                      ><strong>${poll.title}</strong><span>${timesOf(poll, nowMs)}</span></a
                    >
                  </li>`,
              )}
            </ul>`
      }
    </section>`
  }
  return html`${bar}${problemBox(problem)}
    <h1>Your polls</h1>
    <div class="columns">
      ${column('Drafts', ['draft'], 'There is none.')}
      ${column('Open and scheduled', ['open', 'scheduled'], 'There is none.')}
      ${column('Closed', ['closed'], 'There is none yet.')}
    </div>
    <section class="narrow">
      <h2>Create a poll</h2>
      ${form}
    </section>`
}
