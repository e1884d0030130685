import type { Poll } from '../poll-repository.ts'
import { problemBox } from './ballot.ts'
import { type Html, html } from './html.ts'

const when = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' })

export interface NewPollForm {
  readonly title: string
  readonly options: string
  readonly regions: string
  /** UTC, as a browser writes it; empty: now. */
  readonly opens: string
  readonly hours: string
  readonly electorate: string
  readonly revote: string
}

export const emptyPollForm: NewPollForm = {
  title: '',
  options: '',
  regions: '',
  opens: '',
  hours: '24',
  electorate: '',
  revote: 'first',
}

function stateOf(poll: Poll, nowMs: number): string {
  if (poll.isClosed || nowMs >= poll.closesAtMs) return 'closed'
  return nowMs >= poll.opensAtMs ? 'open' : 'scheduled'
}

function openTimes({ opensAtMs, closesAtMs }: Poll): string {
  const [opens, closes] = [when.format(opensAtMs), when.format(closesAtMs)]
  if (closesAtMs < opensAtMs) return `Closed ${closes} UTC, before it was to open at ${opens} UTC.`
  return `${opens} to ${closes} UTC.`
}

export function organiserPage(
  bar: Html,
  polls: readonly Poll[],
  form: NewPollForm,
  token: string,
  problem: string | null,
): Html {
  const nowMs = Date.now()
  return html`${bar}${problemBox(problem)}
    <h1>Your polls</h1>
    ${
      polls.length === 0
        ? html`<p>There is none yet.</p>`
        : html`<ul class="cards">
            ${polls.map(
              (poll) =>
                html`<li>
                  <a class="card" href="/organiser/polls/${poll.id}"
                    ><strong>${poll.title}</strong
                    ><span>${stateOf(poll, nowMs)} · until ${when.format(poll.closesAtMs)} UTC</span></a
                  >
                </li>`,
            )}
          </ul>`
    }
    <h2>Create a poll</h2>
    <form method="post" action="/organiser/polls">
      <input type="hidden" name="form_token" value="${token}" />
      <div class="field">
        <label for="title">Question</label
        ><input id="title" name="title" value="${form.title}" required maxlength="200" />
      </div>
      <div class="field">
        <label for="options">Options, one a line</label
        ><textarea id="options" name="options" rows="4" required>${form.options}</textarea>
      </div>
      <div class="field">
        <label for="regions">Regions, one a line (may be empty)</label
        ><textarea id="regions" name="regions" rows="3">${form.regions}</textarea>
      </div>
      <div class="field">
        <label for="opens">Opens at (UTC; empty: at once)</label
        ><input id="opens" name="opens" type="datetime-local" value="${form.opens}" />
      </div>
      <div class="field">
        <label for="hours">Open for how many hours</label
        ><input id="hours" name="hours" type="number" min="1" max="8760" value="${form.hours}" required />
      </div>
      <div class="field">
        <label for="electorate">Entitled voters, for the turnout (may be empty)</label
        ><input id="electorate" name="electorate" type="number" min="1" value="${form.electorate}" />
      </div>
      <fieldset class="options">
        <legend>If somebody votes twice</legend>
        <label class="option"
          ><input type="radio" name="revote" value="first" ${form.revote === 'first' ? html` checked` : null} /><span
            >The first ballot counts</span
          ></label
        >
        <label class="option"
          ><input type="radio" name="revote" value="last" ${form.revote === 'last' ? html` checked` : null} /><span
            >The last ballot counts</span
          ></label
        >
      </fieldset>
      <button>Create and open</button>
    </form>`
}

export interface PollPageOptions {
  readonly bar: Html
  readonly poll: Poll
  readonly codeCount: number
  readonly token: string
  readonly urls: { readonly ballot: string; readonly results: string }
  /** Just issued: shown this once. */
  readonly codes: readonly string[]
  readonly problem: string | null
}

export function organiserPollPage({ bar, poll, codeCount, token, urls, codes, problem }: PollPageOptions): Html {
  const state = stateOf(poll, Date.now())
  const hidden = html`<input type="hidden" name="form_token" value="${token}" />`
  return html`${bar}${problemBox(problem)}
    <h1>${poll.title}</h1>
    <p>
      This poll is <strong>${state}</strong>. ${openTimes(poll)}
      ${poll.revote === 'first' ? 'The first ballot counts.' : 'The last ballot counts.'}
    </p>
    <p><a href="${urls.ballot}/p/${poll.slug}">Ballot</a> · <a href="${urls.results}/p/${poll.slug}">Results</a></p>
    <p class="small">Fingerprint: <code>${poll.definitionHash}</code></p>
    ${
      codes.length === 0
        ? null
        : html`<section class="codes">
            <h2>${codes.length} new voter codes</h2>
            <p><strong>They are shown this once.</strong> Print this page or copy them now.</p>
            <ol>
              ${codes.map((code) => html`<li><code>${code}</code></li>`)}
            </ol>
          </section>`
    }
    <h2>Voter codes</h2>
    <p>${codeCount} issued so far.</p>
    <form method="post" action="/organiser/polls/${poll.id}/codes">
      ${hidden}
      <div class="field">
        <label for="count">How many</label
        ><input id="count" name="count" type="number" min="1" max="10000" value="10" required />
      </div>
      ${
        poll.regions.length === 0
          ? null
          : html`<div class="field">
              <label for="region">Region</label
              ><select id="region" name="region">
                <option value="">none</option>
                ${poll.regions.map((region) => html`<option>${region}</option>`)}
              </select>
            </div>`
      }
      <button>Issue codes</button>
    </form>
    ${
      state === 'closed'
        ? null
        : html`<h2>Close the poll</h2>
            <p>Ballots after this are rejected. It cannot be undone.</p>
            <form method="post" action="/organiser/polls/${poll.id}/close">
              ${hidden}
              <div class="field">
                <label for="confirm">Type <strong>close</strong> to confirm</label
                ><input id="confirm" name="confirm" required autocomplete="off" />
              </div>
              <button class="danger">Close now</button>
            </form>`
    }`
}
