import type { PollEvent } from '../poll-audit.ts'
import type { PollCount } from '../poll-count.ts'
import type { Poll } from '../poll-repository.ts'
import { problemBox } from './ballot.ts'
import { sheetMax } from './code-sheet.ts'
import { countSection } from './count-section.ts'
import { type Html, html } from './html.ts'
import { choiceWords, eligibilityWords, eventWords, openTimes, stateOf, visibleWords, when } from './poll-words.ts'

export interface PollPageOptions {
  readonly bar: Html
  readonly poll: Poll
  /** How many are on the roll: codes issued, addresses listed. */
  readonly rollCount: number
  readonly token: string
  readonly urls: { readonly ballot: string; readonly results: string }
  readonly events: readonly PollEvent[]
  readonly count: PollCount | null
  /** Every run of the series, this one too. */
  readonly runs: readonly Poll[]
  /** What to say above everything: something is wrong, or something was done. */
  readonly problem: string | null
  readonly done: string | null
}

export function organiserPollPage(options: PollPageOptions): Html {
  const { bar, poll, urls, problem, done, events, runs } = options
  const state = stateOf(poll, Date.now())
  return html`${bar}${problemBox(problem)} ${done === null ? null : html`<p class="done" role="status">${done}</p>`}
    <h1>${poll.title}</h1>
    <p>
      This poll is <strong>${state}</strong>. ${openTimes(poll)} ${choiceWords(poll)}
      ${visibleWords(poll.resultsVisible)}
    </p>
    <p>${eligibilityWords(poll.eligibility)}</p>
    ${
      state === 'draft'
        ? null
        : html`<p>
            <a href="${urls.ballot}/p/${poll.slug}">Ballot</a> · <a href="${urls.results}/p/${poll.slug}">Results</a>${
              poll.shortCode === null
                ? null
                : html` · <a href="/organiser/polls/${poll.id}/poster">Poster with QR code</a>`
            }
          </p>`
    }
    <p class="small">Fingerprint: <code>${poll.definitionHash}</code></p>
    ${state === 'draft' ? draftSection(options) : state === 'scheduled' ? null : countSection(poll, options.count)}
    ${poll.eligibility.kind === 'codes' && state !== 'closed' ? codesSection(options) : null}
    ${poll.eligibility.kind === 'addresses' && state !== 'closed' ? addressesSection(options) : null}
    ${state === 'scheduled' && !poll.isFrozen ? html`<p><a href="/organiser/polls/${poll.id}/edit">Change it</a></p>` : null}
    ${state === 'open' || state === 'scheduled' ? html`${extendSection(options)}${closeSection(options)}` : null}
    ${state === 'draft' ? null : cloneSection(options)}
    ${
      runs.length < 2
        ? null
        : html`<h2>Runs</h2>
            <ul>
              ${runs.map(
                (run) =>
                  html`<li>
                    ${
                      run.id === poll.id
                        ? html`<strong>Run ${run.run}</strong>`
                        : html`<a href="/organiser/polls/${run.id}">Run ${run.run}</a>`
                    },
                    ${stateOf(run, Date.now())}
                  </li>`,
              )}
            </ul>`
    }
    <h2>What was done</h2>
    <ol class="events">
      ${events.map(
        (event) =>
          html`<li>
            ${when.format(event.atMs)} UTC: ${eventWords(event)}${event.actor === null ? null : html` (${event.actor})`}
          </li>`,
      )}
    </ol>`
}

const hidden = (token: string): Html => html`<input type="hidden" name="form_token" value="${token}" />`

const draftSection = ({ poll, token }: PollPageOptions): Html =>
  html`<p>Nobody else can see it. It can be changed until it opens.</p>
    <div class="actions">
      <form method="post" action="/organiser/polls/${poll.id}/publish">${hidden(token)}<button>Publish</button></form>
      <p><a class="button secondary" href="/organiser/polls/${poll.id}/edit">Change it</a></p>
      <form method="post" action="/organiser/polls/${poll.id}/discard">
        ${hidden(token)}<button class="secondary">Discard this draft</button>
      </form>
    </div>`

const regionField = ({ regions }: Poll): Html | null =>
  regions.length === 0
    ? null
    : html`<div class="field">
        <label for="region">Region</label
        ><select id="region" name="region">
          <option value="">none</option>
          ${regions.map((region) => html`<option>${region}</option>`)}
        </select>
      </div>`

const codesSection = ({ poll, rollCount, token }: PollPageOptions): Html =>
  html`<h2>Voter codes</h2>
    <p>
      ${rollCount} issued so far. New ones are shown once, as a list, or as a sheet of up to ${sheetMax} slips to print.
    </p>
    <form method="post" action="/organiser/polls/${poll.id}/codes">
      ${hidden(token)}
      <div class="field">
        <label for="count">How many</label
        ><input id="count" name="count" type="number" min="1" max="10000" value="10" required />
      </div>
      ${regionField(poll)}
      <div class="actions">
        <button>Issue codes</button>
        <button class="secondary" name="as" value="sheet">Issue as a sheet to print</button>
      </div>
    </form>`

const addressesSection = ({ poll, rollCount, token }: PollPageOptions): Html =>
  html`<h2>Listed addresses</h2>
    <p>${rollCount} so far. They are kept so that nobody can read them out again, not even you.</p>
    <form method="post" action="/organiser/polls/${poll.id}/addresses">
      ${hidden(token)}
      <div class="field">
        <label for="addresses">E-mail addresses, one a line</label
        ><textarea id="addresses" name="addresses" rows="6" required></textarea>
      </div>
      ${regionField(poll)}
      <button>Add to the list</button>
    </form>`

const extendSection = ({ poll, token }: PollPageOptions): Html =>
  html`<h2>Extend the poll</h2>
    <p>Everybody can see that it was extended, and why.</p>
    <form method="post" action="/organiser/polls/${poll.id}/extend">
      ${hidden(token)}<input type="hidden" name="closes_at" value="${poll.closesAtMs}" />
      <div class="field">
        <label for="extra_hours">Hours more</label
        ><input id="extra_hours" name="extra_hours" type="number" min="0.01" max="8760" step="any" value="1" required />
      </div>
      <div class="field">
        <label for="reason">Reason</label><input id="reason" name="reason" maxlength="300" required />
      </div>
      <button>Extend</button>
    </form>`

const closeSection = ({ poll, token }: PollPageOptions): Html =>
  html`<h2>Close the poll</h2>
    <p>Ballots after this are rejected. It cannot be undone.</p>
    <form method="post" action="/organiser/polls/${poll.id}/close">
      ${hidden(token)}
      <div class="field">
        <label for="confirm">Type <strong>close</strong> to confirm</label
        ><input id="confirm" name="confirm" required autocomplete="off" />
      </div>
      <button class="danger">Close now</button>
    </form>`

const cloneSection = ({ poll, token }: PollPageOptions): Html =>
  html`<h2>Ask again</h2>
    <p>A new run of the same question, as a draft. Its voters are listed anew, and its results are its own.</p>
    <form method="post" action="/organiser/polls/${poll.id}/clone">
      ${hidden(token)}<button class="secondary">Clone as a new run</button>
    </form>`
