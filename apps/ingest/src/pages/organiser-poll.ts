import type { Words } from '../messages/index.ts'
import type { PollEvent } from '../poll-audit.ts'
import type { PollCount } from '../poll-count.ts'
import type { Poll } from '../poll-repository.ts'
import { sheetMax } from './code-sheet.ts'
import { countSection } from './count-section.ts'
import { type Html, html } from './html.ts'
import { problemBox } from './message.ts'
import { foldIssues, issueWords } from './issue-events.ts'
import { choiceWords, eligibilityWords, eventWords, openTimes, stateOf, stateWord, visibleWords } from './poll-words.ts'

export interface PollPageOptions {
  readonly bar: Html
  readonly poll: Poll
  /** How many are on the roll: codes issued, addresses listed. */
  readonly rollCount: number
  readonly token: string
  /** Where ballots are cast. */
  readonly ballotUrl: string
  /** The results of this poll. */
  readonly resultsUrl: string
  readonly events: readonly PollEvent[]
  readonly count: PollCount | null
  /** Every run of the series, this one too. */
  readonly runs: readonly Poll[]
  /** What to say above everything: something is wrong, or something was done. */
  readonly problem: string | null
  readonly done: string | null
}

export function organiserPollPage(words: Words, options: PollPageOptions): Html {
  const { bar, poll, ballotUrl, resultsUrl, problem, done, runs, count } = options
  const nowMs = Date.now()
  const state = stateOf(poll, nowMs)
  return html`${bar}${problemBox(words, problem)}
    ${done === null ? null : html`<p class="done" role="status">${done}</p>`}
    <h1><bdi>${poll.title}</bdi></h1>
    <p>
      ${words.html('pollIs', { state: html`<strong>${stateWord(words, poll, nowMs)}</strong>` })}
      ${openTimes(words, poll)} ${choiceWords(words, poll)} ${visibleWords(words, poll.resultsVisible)}
    </p>
    <p>${eligibilityWords(words, poll.eligibility)}</p>
    ${
      state === 'draft'
        ? null
        : html`<p>
            <a href="${ballotUrl}/p/${poll.slug}">${words.say('ballotLink')}</a> ·
            <a href="${resultsUrl}">${words.say('resultsLinkShort')}</a>${
              poll.shortCode === null || state === 'closed'
                ? null
                : html` · <a href="/organiser/polls/${poll.id}/poster">${words.say('poster')}</a>`
            }
          </p>`
    }
    <p class="small">
      ${words.html('fingerprintShort', { hash: html`<code dir="ltr">${poll.definitionHash}</code>` })}
    </p>
    ${state === 'draft' ? draftSection(words, options) : state === 'scheduled' ? null : countSection(words, poll, count)}
    ${poll.eligibility.kind === 'codes' && state !== 'closed' ? codesSection(words, options) : null}
    ${poll.eligibility.kind === 'addresses' && state !== 'closed' ? addressesSection(words, options) : null}
    ${
      state === 'scheduled' && !poll.isFrozen
        ? html`<p><a href="/organiser/polls/${poll.id}/edit">${words.say('changeIt')}</a></p>`
        : null
    }
    ${state === 'open' || state === 'scheduled' ? html`${extendSection(words, options)}${closeSection(words, options)}` : null}
    ${state === 'draft' ? null : cloneSection(words, options)} ${runs.length < 2 ? null : runsSection(words, options)}
    ${eventsSection(words, options)}`
}

const runsSection = (words: Words, { poll, runs }: PollPageOptions): Html => {
  const nowMs = Date.now()
  return html`<h2>${words.say('runsHeading')}</h2>
    <ul>
      ${runs.map((run) => {
        const name = words.say('run', { n: run.run })
        return html`<li>
          ${run.id === poll.id ? html`<strong>${name}</strong>` : html`<a href="/organiser/polls/${run.id}">${name}</a>`}:
          ${stateWord(words, run, nowMs)}
        </li>`
      })}
    </ul>`
}

/** Of a poll from elsewhere, such as the one that `npm start` shows the past with, nothing was noted. */
const eventsSection = (words: Words, { events }: PollPageOptions): Html | null =>
  events.length === 0
    ? null
    : html`<h2>${words.say('eventsHeading')}</h2>
        <ol class="events">
          ${foldIssues(events).map((fold) => {
            const event = fold.last
            const line = {
              time: words.moment(fold.firstMs),
              event: issueWords(words, fold) ?? eventWords(words, event),
            }
            const { actor } = event
            return html`<li>
              ${actor === null ? words.say('eventLine', line) : words.say('eventLineBy', { ...line, actor })}
            </li>`
          })}
        </ol>`

const hidden = (token: string): Html => html`<input type="hidden" name="form_token" value="${token}" />`

const draftSection = (words: Words, { poll, token }: PollPageOptions): Html =>
  html`<p>${words.say('draftHidden')}</p>
    <div class="actions">
      <form method="post" action="/organiser/polls/${poll.id}/publish">
        ${hidden(token)}<button>${words.say('publish')}</button>
      </form>
      <p><a class="button secondary" href="/organiser/polls/${poll.id}/edit">${words.say('changeIt')}</a></p>
      <form method="post" action="/organiser/polls/${poll.id}/discard">
        ${hidden(token)}<button class="secondary">${words.say('discard')}</button>
      </form>
    </div>`

const regionField = (words: Words, { regions }: Poll): Html | null =>
  regions.length === 0
    ? null
    : html`<div class="field">
        <label for="region">${words.say('regionLabel')}</label
        ><select id="region" name="region">
          <option value="">${words.say('regionNone')}</option>
          ${regions.map((region) => html`<option>${region}</option>`)}
        </select>
      </div>`

const codesSection = (words: Words, { poll, rollCount, token }: PollPageOptions): Html =>
  html`<h2>${words.say('codesHeading')}</h2>
    <p>${words.say('codesIssued', { n: rollCount, max: sheetMax })}</p>
    <form method="post" action="/organiser/polls/${poll.id}/codes">
      ${hidden(token)}
      <div class="field">
        <label for="count">${words.say('howMany')}</label
        ><input id="count" name="count" type="number" min="1" max="10000" value="10" required />
      </div>
      ${regionField(words, poll)}
      <div class="actions">
        <button>${words.say('issueCodes')}</button>
        <button class="secondary" name="as" value="sheet">${words.say('issueSheet')}</button>
      </div>
    </form>`

const addressesSection = (words: Words, { poll, rollCount, token }: PollPageOptions): Html =>
  html`<h2>${words.say('addressesHeading')}</h2>
    <p>${words.say('addressesListed', { n: rollCount })}</p>
    <form method="post" action="/organiser/polls/${poll.id}/addresses">
      ${hidden(token)}
      <div class="field">
        <label for="addresses">${words.say('addressesLabel')}</label
        ><textarea id="addresses" name="addresses" rows="6" required dir="ltr"></textarea>
      </div>
      ${regionField(words, poll)}
      <button>${words.say('addAddresses')}</button>
    </form>`

const extendSection = (words: Words, { poll, token }: PollPageOptions): Html =>
  html`<h2>${words.say('extendHeading')}</h2>
    <p>${words.say('extendPublic')}</p>
    <form method="post" action="/organiser/polls/${poll.id}/extend">
      ${hidden(token)}<input type="hidden" name="closes_at" value="${poll.closesAtMs}" />
      <div class="field">
        <label for="extra_hours">${words.say('hoursMore')}</label
        ><input id="extra_hours" name="extra_hours" type="number" min="0.01" max="8760" step="any" value="1" required />
      </div>
      <div class="field">
        <label for="reason">${words.say('reason')}</label
        ><input id="reason" name="reason" maxlength="300" required dir="auto" />
      </div>
      <button>${words.say('extend')}</button>
    </form>`

const closeSection = (words: Words, { poll, token }: PollPageOptions): Html =>
  html`<h2>${words.say('closeHeading')}</h2>
    <p>${words.say('closeFinal')}</p>
    <form method="post" action="/organiser/polls/${poll.id}/close">
      ${hidden(token)}
      <div class="field">
        <label for="confirm"
          >${words.html('typeToConfirm', { word: html`<strong>${words.say('closeWord')}</strong>` })}</label
        ><input id="confirm" name="confirm" required autocomplete="off" />
      </div>
      <button class="danger">${words.say('closeNow')}</button>
    </form>`

const cloneSection = (words: Words, { poll, token }: PollPageOptions): Html =>
  html`<h2>${words.say('askAgainHeading')}</h2>
    <p>${words.say('cloneWhat')}</p>
    <form method="post" action="/organiser/polls/${poll.id}/clone">
      ${hidden(token)}<button class="secondary">${words.say('clone')}</button>
    </form>`
