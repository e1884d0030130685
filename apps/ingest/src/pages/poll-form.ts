import type { PollForm } from '../poll-form.ts'
import { type Html, html } from './html.ts'

export interface PollFormOptions {
  readonly action: string
  readonly form: PollForm
  readonly formToken: string
  /** What the buttons say; the second one saves a draft. */
  readonly submit: string
  readonly submitDraft: string | null
  /** What this installation can do. */
  readonly hasMail: boolean
  readonly provider: string | null
}

const option = (name: string, value: string, label: string, chosen: string): Html =>
  html`<label class="option"
    ><input type="radio" name="${name}" value="${value}" ${chosen === value ? html` checked` : null} /><span
      >${label}</span
    ></label
  >`

/** Everything that makes a poll; what few polls need is folded away until it says something. */
export function pollForm(options: PollFormOptions): Html {
  const { action, form, formToken, submit, submitDraft, hasMail, provider } = options
  const isPlain =
    form.max_choices === '1' && form.allow_blank === '' && form.visible === 'live' && form.eligibility === 'codes'
  return html`<form method="post" action="${action}">
    <input type="hidden" name="form_token" value="${formToken}" />
    <div class="field">
      <label for="title">Question</label
      ><input id="title" name="title" value="${form.title}" required maxlength="200" />
    </div>
    <div class="field">
      <label for="options">Options, one a line</label
      ><textarea id="options" name="options" rows="4" required>${form.options}</textarea>
    </div>
    <div class="field">
      <label for="opens">Opens at (UTC; empty: at once)</label
      ><input id="opens" name="opens" type="datetime-local" value="${form.opens}" />
    </div>
    <div class="field">
      <label for="hours">Open for how many hours</label
      ><input id="hours" name="hours" type="number" min="0.01" max="8760" step="any" value="${form.hours}" required />
    </div>
    <fieldset class="options">
      <legend>If somebody votes twice</legend>
      ${option('revote', 'first', 'The first ballot counts', form.revote)}
      ${option('revote', 'last', 'The last ballot counts', form.revote)}
    </fieldset>
    <details ${isPlain ? null : html` open`}>
      <summary>Who votes, how many choices, and when results are seen</summary>
      <fieldset class="options">
        <legend>Who may vote</legend>
        ${option('eligibility', 'codes', 'Who has a voter code', form.eligibility)}
        ${hasMail ? option('eligibility', 'addresses', 'Listed e-mail addresses', form.eligibility) : null}
        ${option('eligibility', 'link', 'Anyone with the link (indicative: somebody may vote twice)', form.eligibility)}
        ${
          provider === null
            ? null
            : html`${option('eligibility', 'claim', `Who has a claim at ${provider}:`, form.eligibility)}
                <div class="pair">
                  <label>Claim <input name="claim" value="${form.claim}" maxlength="100" /></label>
                  <label>Value <input name="claim_value" value="${form.claim_value}" maxlength="200" /></label>
                </div>`
        }
      </fieldset>
      <div class="field">
        <label for="max_choices">Choices per ballot, at most</label
        ><input
          id="max_choices"
          name="max_choices"
          type="number"
          min="1"
          max="20"
          value="${form.max_choices}"
          required
        />
      </div>
      <label class="option"
        ><input
          type="checkbox"
          name="allow_blank"
          value="yes"
          ${form.allow_blank === 'yes' ? html` checked` : null}
        /><span>Allow blank ballots</span></label
      >
      <fieldset class="options">
        <legend>Results are visible</legend>
        ${option('visible', 'live', 'Live', form.visible)}
        ${option('visible', 'after-voting', 'After voting, to who has voted', form.visible)}
        ${option('visible', 'after-close', 'After the close', form.visible)}
        ${option('visible', 'from', 'From this many voters:', form.visible)}
        <input
          name="visible_from"
          type="number"
          min="1"
          value="${form.visible_from}"
          aria-label="Visible from this many voters"
        />
      </fieldset>
      <div class="field">
        <label for="regions">Regions, one a line (may be empty)</label
        ><textarea id="regions" name="regions" rows="3">${form.regions}</textarea>
      </div>
      <div class="field">
        <label for="electorate">Entitled voters, for the turnout (may be empty)</label
        ><input id="electorate" name="electorate" type="number" min="1" value="${form.electorate}" />
      </div>
    </details>
    <div class="actions">
      <button>${submit}</button>
      ${submitDraft === null ? null : html`<button class="secondary" name="save_as" value="draft">${submitDraft}</button>`}
    </div>
  </form>`
}
