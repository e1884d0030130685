import type { Words } from '../messages/index.ts'
import type { Poll } from '../poll-repository.ts'
import { type Html, html } from './html.ts'
import { problemBox } from './message.ts'
import { type PollState, stateOf } from './poll-words.ts'

export interface OrganiserPageOptions {
  readonly bar: Html
  readonly polls: readonly Poll[]
  /** The form for a new poll. */
  readonly form: Html
  readonly problem: string | null
}

const timesOf = (words: Words, poll: Poll, nowMs: number): string => {
  switch (stateOf(poll, nowMs)) {
    case 'draft':
      return poll.run > 1 ? words.say('cardDraftRun', { n: poll.run }) : words.say('cardDraft')
    case 'scheduled':
      return words.say('cardScheduled', { time: words.moment(poll.opensAtMs) })
    case 'open':
      return words.say('cardOpen', { time: words.moment(poll.closesAtMs) })
    case 'closed':
      return words.say('cardClosed', { time: words.moment(poll.closesAtMs) })
  }
}

/** The organiser's polls by what can be done with them, and a form for another. */
export function organiserPage(words: Words, { bar, polls, form, problem }: OrganiserPageOptions): Html {
  const nowMs = Date.now()
  const column = (title: string, ...states: readonly PollState[]): Html => {
    const found = polls.filter((poll) => states.includes(stateOf(poll, nowMs)))
    return html`<section>
      <h2>${title}</h2>
      ${
        found.length === 0
          ? html`<p class="small">${words.say('noneHere')}</p>`
          : html`<ul class="cards">
              ${found.map(
                (poll) =>
                  html`<li>
                    <a class="card" href="/organiser/polls/${poll.id}"
                      ><strong><bdi>${poll.title}</bdi></strong
                      ><span>${timesOf(words, poll, nowMs)}</span></a
                    >
                  </li>`,
              )}
            </ul>`
      }
    </section>`
  }
  return html`${bar}${problemBox(words, problem)}
    <h1>${words.say('yourPolls')}</h1>
    <div class="columns">
      ${column(words.say('drafts'), 'draft')} ${column(words.say('openAndScheduled'), 'open', 'scheduled')}
      ${column(words.say('closedPolls'), 'closed')}
    </div>
    <section class="narrow">
      <h2>${words.say('createPoll')}</h2>
      ${form}
    </section>`
}
