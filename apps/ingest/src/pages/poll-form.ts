import type { Words } from '../messages/index.ts'
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
export function pollForm(words: Words, options: PollFormOptions): Html {
  const { say } = words
  const { action, form, formToken, submit, submitDraft } = options
  const isPlain =
    form.max_choices === '1' && form.allow_blank === '' && form.visible === 'live' && form.eligibility === 'codes'
  return html`<form method="post" action="${action}">
    <input type="hidden" name="form_token" value="${formToken}" />
    <div class="field">
      <label for="title">${say('question')}</label
      ><input id="title" name="title" value="${form.title}" required maxlength="200" dir="auto" />
    </div>
    <div class="field">
      <label for="options">${say('optionsLabel')}</label
      ><textarea id="options" name="options" rows="4" required dir="auto">${form.options}</textarea>
    </div>
    <div class="field">
      <label for="opens">${say('opensLabel')}</label
      ><input id="opens" name="opens" type="datetime-local" value="${form.opens}" />
    </div>
    <div class="field">
      <label for="hours">${say('hoursLabel')}</label
      ><input id="hours" name="hours" type="number" min="0.01" max="8760" step="any" value="${form.hours}" required />
    </div>
    <fieldset class="options">
      <legend>${say('revoteLegend')}</legend>
      ${option('revote', 'first', say('revoteFirst'), form.revote)}
      ${option('revote', 'last', say('revoteLast'), form.revote)}
    </fieldset>
    <details ${isPlain ? null : html` open`}>
      <summary>${say('moreSettings')}</summary>
      ${whoMayVote(words, options)}
      <div class="field">
        <label for="max_choices">${say('maxChoicesLabel')}</label
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
        /><span>${say('allowBlank')}</span></label
      >
      <fieldset class="options">
        <legend>${say('visibleLegend')}</legend>
        ${option('visible', 'live', say('seenLive'), form.visible)}
        ${option('visible', 'after-voting', say('seenAfterVoting'), form.visible)}
        ${option('visible', 'after-close', say('seenAfterClose'), form.visible)}
        ${option('visible', 'from', say('seenFrom'), form.visible)}
        <input
          name="visible_from"
          type="number"
          min="1"
          value="${form.visible_from}"
          aria-label="${say('seenFromLabel')}"
        />
      </fieldset>
      <div class="field">
        <label for="regions">${say('regionsLabel')}</label
        ><textarea id="regions" name="regions" rows="3" dir="auto">${form.regions}</textarea>
      </div>
      <div class="field">
        <label for="electorate">${say('electorateLabel')}</label
        ><input id="electorate" name="electorate" type="number" min="1" value="${form.electorate}" />
      </div>
    </details>
    <div class="actions">
      <button>${submit}</button>
      ${submitDraft === null ? null : html`<button class="secondary" name="save_as" value="draft">${submitDraft}</button>`}
    </div>
  </form>`
}

function whoMayVote({ say }: Words, { form, hasMail, provider }: PollFormOptions): Html {
  return html`<fieldset class="options">
    <legend>${say('whoLegend')}</legend>
    ${option('eligibility', 'codes', say('whoCodes'), form.eligibility)}
    ${hasMail ? option('eligibility', 'addresses', say('whoAddresses'), form.eligibility) : null}
    ${option('eligibility', 'link', say('whoLink'), form.eligibility)}
    ${
      provider === null
        ? null
        : html`${option('eligibility', 'claim', say('whoClaim', { provider }), form.eligibility)}
            <div class="pair">
              <label>${say('claimLabel')} <input name="claim" value="${form.claim}" maxlength="100" /></label>
              <label
                >${say('claimValueLabel')} <input name="claim_value" value="${form.claim_value}" maxlength="200"
              /></label>
            </div>`
    }
  </fieldset>`
}
