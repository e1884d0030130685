import { type BallotForm, blankMark } from '../ballot-form.ts'
import type { VotingAs } from '../voting-as.ts'
import type { Poll } from '../poll-repository.ts'
import type { FoundReceipt, ReceiptStatus } from '../receipts.ts'
import { type Html, html } from './html.ts'

const closing = new Intl.DateTimeFormat('en', { dateStyle: 'full', timeStyle: 'short', timeZone: 'UTC' })

export function pollListPage(open: readonly Poll[]): Html {
  return html`<h1>Vote</h1>
    ${
      open.length === 0
        ? html`<p>No poll is open at the moment.</p>`
        : html`<ul class="cards">
            ${open.map(
              (poll) =>
                html`<li>
                  <a class="card" href="/p/${poll.slug}"
                    ><strong>${poll.title}</strong><span>Open until ${closing.format(poll.closesAtMs)} UTC</span></a
                  >
                </li>`,
            )}
          </ul>`
    }
    <p class="small"><a href="/receipts">Look up a receipt</a> · <a href="/organiser">For organisers</a></p>`
}

/** Another site cannot know it, and so cannot vote for who is signed in. */
const sessionField = (as: VotingAs): Html | null =>
  as.kind === 'signed-in' ? html`<input type="hidden" name="form_token" value="${as.formToken}" />` : null

/** Who may vote here, where that is not by a code; and the way out on a device that others use. */
function asWhom(poll: Poll, as: VotingAs): Html | null {
  if (as.kind === 'code') return null
  if (as.kind === 'anybody') {
    return html`<p class="note">
      <strong>Indicative poll.</strong> Anyone with the link can take part, so nobody can tell whether somebody votes
      twice.
    </p>`
  }
  return html`<form class="note" method="post" action="/p/${poll.slug}/leave">
    ${sessionField(as)} You are signed in to this poll. <button class="link">Sign out</button>
  </form>`
}

const blankOption = { id: blankMark, label: 'None of these: a blank ballot' }

/** What is wrong with a form, and with which part of it. */
export interface FormProblem {
  readonly text: string
  readonly field: 'code' | 'option' | null
}

/** The ballot: code and choice on one screen. What went wrong stands above it, and nothing that was entered is lost. */
export function ballotPage(poll: Poll, form: BallotForm, problem: FormProblem | null, as: VotingAs): Html {
  const hasWrong = (field: FormProblem['field']): boolean => problem !== null && problem.field === field
  const wrong = (field: 'code' | 'option'): Html | null =>
    hasWrong(field) ? html`<p class="wrong" id="${field}-problem">${problem!.text}</p>` : null
  const intro =
    poll.revote === 'first'
      ? 'Your first ballot counts.'
      : 'You may vote again until the close; your last ballot counts.'
  const isSingle = poll.maxChoices === 1
  const target = problem?.field === 'option' ? `option-${poll.options[0]!.id}` : problem?.field
  const codeField = (): Html =>
    html`<div class="field">
      <label for="code">Your voter code</label>
      <p class="hint" id="code-hint">From your letter. Capitals, spaces and dashes do not matter.</p>
      ${wrong('code')}
      <input
        id="code"
        name="code"
        value="${form.code}"
        required
        autocomplete="off"
        autocapitalize="characters"
        spellcheck="false"
        ${
          hasWrong('code')
            ? html`aria-invalid="true" aria-describedby="code-problem code-hint"`
            : html`aria-describedby="code-hint"`
        }
      />
    </div>`
  return html`${problemBox(problem && problem.text, target ?? null)}
    <h1>${poll.title}</h1>
    <p>Open until ${closing.format(poll.closesAtMs)} UTC. ${intro}</p>
    ${asWhom(poll, as)}
    <form method="post" action="/p/${poll.slug}/review">
      <input type="hidden" name="nonce" value="${form.nonce}" />
      ${sessionField(as)} ${as.kind === 'code' ? codeField() : null}
      <fieldset class="options" ${hasWrong('option') ? html`aria-describedby="option-problem"` : null}>
        <legend>${poll.maxChoices === 1 ? 'Your choice' : `Your choices, up to ${poll.maxChoices}`}</legend>
        ${wrong('option')}
        ${[...poll.options, ...(poll.allowBlank ? [blankOption] : [])].map(
          ({ id, label }) =>
            html`<label class="option"
              ><input
                type="${isSingle ? 'radio' : 'checkbox'}"
                id="option-${id}"
                name="option"
                value="${id}"
                ${isSingle ? html`required` : null}${form.chosen.includes(id) ? html` checked` : null}
              /><span>${label}</span></label
            >`,
        )}
      </fieldset>
      <button>Review your ballot</button>
    </form>
    <p class="small">
      You can check everything on the next page before your ballot is cast. Fingerprint of this poll:
      <code>${poll.definitionHash}</code>
    </p>`
}

export function reviewPage(poll: Poll, form: BallotForm, problem: string | null, as: VotingAs): Html {
  const chosen = [...poll.options, blankOption].filter(({ id }) => form.chosen.includes(id))
  const hidden = html`${sessionField(as)}${
      as.kind === 'code' ? html`<input type="hidden" name="code" value="${form.code}" />` : null
    }${form.chosen.map((id) => html`<input type="hidden" name="option" value="${id}" />`)}<input
      type="hidden"
      name="nonce"
      value="${form.nonce}"
    />`
  return html`${problemBox(problem)}
    <h1>Review your ballot</h1>
    <p>${poll.title}</p>
    <dl class="review">
      <dt>${chosen.length === 1 ? 'Your choice' : 'Your choices'}</dt>
      ${chosen.map(({ label }) => html`<dd>${label}</dd>`)}
    </dl>
    <div class="actions">
      <form method="post" action="/p/${poll.slug}/cast">${hidden}<button>Cast this ballot</button></form>
      <form method="post" action="/p/${poll.slug}">${hidden}<button class="secondary">Change</button></form>
    </div>
    ${problem === null ? html`<p class="small">Nothing is recorded until you cast it.</p>` : null}`
}

const statusWords: { readonly [status in ReceiptStatus['status']]: readonly [title: string, text: string] } = {
  recorded: ['Recorded', 'Your ballot is safely in the log. It will be counted in a moment.'],
  counted: ['Counted', 'The result includes your ballot.'],
  superseded: ['Replaced', 'A later ballot with the same code was counted instead of this one.'],
  rejected: ['Not counted', 'Your ballot was recorded but could not be counted.'],
}

const reasonWords: { readonly [reason: string]: string } = {
  closed: 'It reached the log after the poll had closed.',
  'already-voted': 'Another ballot with this code came first.',
  'unknown-option': 'The poll has no such option.',
  'too-many-choices': 'It names more options than the poll allows.',
  'blank-not-allowed': 'The poll takes no blank ballots.',
}

/** Recorded and counted are different words: the page moves from one to the other as the tally goes on. */
export function receiptPage(receipt: string, found: FoundReceipt, resultsUrl: string): Html {
  const [heading, text] = statusWords[found.status]
  const { title, definitionHash, resultsVisible } = found.ballotOf
  return html`<div
      class="receipt ${found.status}"
      id="receipt"
      data-receipt="${receipt}"
      data-status="${found.status}"
      role="status"
    >
      <h1 id="receipt-title">${heading}</h1>
      <p id="receipt-text">
        ${text} ${found.reason === undefined ? null : (reasonWords[found.reason] ?? found.reason)}
      </p>
    </div>
    <p>Your receipt</p>
    <p class="code"><strong>${receipt}</strong></p>
    <p>Keep it: with it you can check here at any time what became of your ballot. It does not show how you voted.</p>
    <p>
      ${
        resultsVisible === 'live' || resultsVisible === 'after-voting'
          ? html`<a href="${resultsUrl}">See the results</a>`
          : html`<a href="${resultsUrl}">The results will be here</a>, as soon as they are to be seen.`
      }
    </p>
    <p class="small">A ballot of the poll “${title}”, whose fingerprint is <code>${definitionHash}</code></p>
    ${
      found.status === 'recorded'
        ? html`<noscript
            ><p>This page looks again by itself. <a href="">Look again now</a></p></noscript
          >`
        : null
    }
    <details>
      <summary>What do these words mean?</summary>
      <p>
        <strong>Recorded</strong>: the ballot is in the log and cannot get lost. <strong>Counted</strong>: a result that
        includes it has been published.
      </p>
    </details>`
}

export function receiptFormPage(problem: string | null): Html {
  return html`${problemBox(problem)}
    <h1>Look up a receipt</h1>
    <form method="get" action="/receipts">
      <div class="field">
        <label for="receipt">Receipt</label>
        <input id="receipt" name="receipt" required autocomplete="off" autocapitalize="characters" spellcheck="false" />
      </div>
      <button>Look up</button>
    </form>`
}

export const messagePage = (title: string, text: string): Html =>
  html`<h1>${title}</h1>
    <p>${text}</p>
    <p><a href="/">All open polls</a></p>`

/** What went wrong, read out at once; a link leads to the part of the form that it is about. */
export const problemBox = (problem: string | null, field: string | null = null): Html | null =>
  problem === null
    ? null
    : html`<div class="problem" role="alert" tabindex="-1" autofocus>
        <h2>Please look at this</h2>
        <p>${field === null ? problem : html`<a href="#${field}">${problem}</a>`}</p>
      </div>`
