import { type BallotForm, blankMark } from '../ballot-form.ts'
import type { Words } from '../messages/index.ts'
import type { Poll } from '../poll-repository.ts'
import type { VotingAs } from '../voting-as.ts'
import { type Html, html } from './html.ts'
import { problemBox } from './message.ts'

export function pollListPage(words: Words, open: readonly Poll[]): Html {
  return html`<h1>${words.say('voteTitle')}</h1>
    ${
      open.length === 0
        ? html`<p>${words.say('noOpenPoll')}</p>`
        : html`<ul class="cards">
            ${open.map(
              (poll) =>
                html`<li>
                  <a class="card" href="/p/${poll.slug}"
                    ><strong><bdi>${poll.title}</bdi></strong
                    ><span>${words.say('openUntil', { time: words.longMoment(poll.closesAtMs) })}</span></a
                  >
                </li>`,
            )}
          </ul>`
    }
    <p class="small">
      <a href="/receipts">${words.say('lookUpReceipt')}</a> · <a href="/organiser">${words.say('forOrganisers')}</a>
    </p>`
}

/** Another site cannot know it, and so cannot vote for who is signed in. */
const sessionField = (as: VotingAs): Html | null =>
  as.kind === 'signed-in' ? html`<input type="hidden" name="form_token" value="${as.formToken}" />` : null

/** Who may vote here, where that is not by a code; and the way out on a device that others use. */
function asWhom(words: Words, poll: Poll, as: VotingAs): Html | null {
  if (as.kind === 'code') return null
  if (as.kind === 'anybody') {
    return html`<p class="note"><strong>${words.say('indicative')}</strong> ${words.say('indicativeWhy')}</p>`
  }
  return html`<form class="note" method="post" action="/p/${poll.slug}/leave">
    ${sessionField(as)} ${words.say('signedInHere')} <button class="link">${words.say('signOut')}</button>
    ${as.hasOthers ? html`<button class="link" name="everywhere" value="yes">${words.say('signOutEverywhere')}</button>` : null}
  </form>`
}

/** What is wrong with a form, and with which part of it. */
export interface FormProblem {
  readonly text: string
  readonly field: 'code' | 'option' | null
}

/** The ballot: code and choice on one screen. What went wrong stands above it, and nothing that was entered is lost. */
export function ballotPage(
  words: Words,
  poll: Poll,
  form: BallotForm,
  problem: FormProblem | null,
  as: VotingAs,
): Html {
  const hasWrong = (field: FormProblem['field']): boolean => problem !== null && problem.field === field
  const wrong = (field: 'code' | 'option'): Html | null =>
    hasWrong(field) ? html`<p class="wrong" id="${field}-problem">${problem!.text}</p>` : null
  const isSingle = poll.maxChoices === 1
  const target = problem?.field === 'option' ? `option-${poll.options[0]!.id}` : problem?.field
  const codeField = (): Html =>
    html`<div class="field">
      <label for="code">${words.say('codeLabel')}</label>
      <p class="hint" id="code-hint">${words.say('codeHint')}</p>
      ${wrong('code')}
      <input
        id="code"
        name="code"
        value="${form.code}"
        required
        dir="ltr"
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
  return html`${problemBox(words, problem && problem.text, target ?? null)}
    <h1><bdi>${poll.title}</bdi></h1>
    <p>
      ${words.say('openUntilSentence', { time: words.longMoment(poll.closesAtMs) })}
      ${words.say(poll.revote === 'first' ? 'introFirst' : 'introLast')}
    </p>
    ${asWhom(words, poll, as)}
    <form method="post" action="/p/${poll.slug}/review">
      <input type="hidden" name="nonce" value="${form.nonce}" />
      ${sessionField(as)} ${as.kind === 'code' ? codeField() : null}
      <fieldset class="options" ${hasWrong('option') ? html`aria-describedby="option-problem"` : null}>
        <legend>${isSingle ? words.say('choiceLegend') : words.say('choicesLegend', { n: poll.maxChoices })}</legend>
        ${wrong('option')}
        ${optionsOf(words, poll).map(
          ({ id, label }) =>
            html`<label class="option"
              ><input
                type="${isSingle ? 'radio' : 'checkbox'}"
                id="option-${id}"
                name="option"
                value="${id}"
                ${isSingle ? html`required` : null}${form.chosen.includes(id) ? html` checked` : null}
              /><span><bdi>${label}</bdi></span></label
            >`,
        )}
      </fieldset>
      <button>${words.say('review')}</button>
    </form>
    <p class="small">
      ${words.say('reviewLater')}
      ${words.html('fingerprint', { hash: html`<code dir="ltr">${poll.definitionHash}</code>` })}
    </p>`
}

const optionsOf = (words: Words, { options, allowBlank }: Poll): Poll['options'] => [
  ...options,
  ...(allowBlank ? [{ id: blankMark, label: words.say('blankOption') }] : []),
]

export function reviewPage(words: Words, poll: Poll, form: BallotForm, problem: string | null, as: VotingAs): Html {
  const chosen = optionsOf(words, { ...poll, allowBlank: true }).filter(({ id }) => form.chosen.includes(id))
  const hidden = html`${sessionField(as)}${
      as.kind === 'code' ? html`<input type="hidden" name="code" value="${form.code}" />` : null
    }${form.chosen.map((id) => html`<input type="hidden" name="option" value="${id}" />`)}<input
      type="hidden"
      name="nonce"
      value="${form.nonce}"
    />`
  return html`${problemBox(words, problem)}
    <h1>${words.say('review')}</h1>
    <p><bdi>${poll.title}</bdi></p>
    <dl class="review">
      <dt>${words.say(chosen.length === 1 ? 'yourChoice' : 'yourChoices')}</dt>
      ${chosen.map(({ label }) => html`<dd><bdi>${label}</bdi></dd>`)}
    </dl>
    <div class="actions">
      <form method="post" action="/p/${poll.slug}/cast">${hidden}<button>${words.say('cast')}</button></form>
      <form method="post" action="/p/${poll.slug}">
        ${hidden}<button class="secondary">${words.say('change')}</button>
      </form>
    </div>
    ${problem === null ? html`<p class="small">${words.say('nothingYet')}</p>` : null}`
}
