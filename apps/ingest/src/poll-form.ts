import type { Eligibility } from '@voting/election/poll-terms'
import { checkPollInput, InputProblem, type PollInput } from './poll-input.ts'
import type { Poll } from './poll-repository.ts'

/** A poll as its form has it: texts, whatever they hold. */
export interface PollForm {
  readonly title: string
  readonly options: string
  readonly regions: string
  /** UTC, as a browser writes it; empty: now. */
  readonly opens: string
  readonly hours: string
  readonly electorate: string
  readonly revote: string
  readonly max_choices: string
  /** `yes`, or empty. */
  readonly allow_blank: string
  /** `live`, `after-voting`, `after-close` or `from`. */
  readonly visible: string
  readonly visible_from: string
  /** The kind of eligibility. */
  readonly eligibility: string
  readonly claim: string
  readonly claim_value: string
}

export const emptyPollForm: PollForm = {
  title: '',
  options: '',
  regions: '',
  opens: '',
  hours: '24',
  electorate: '',
  revote: 'first',
  max_choices: '1',
  allow_blank: '',
  visible: 'live',
  visible_from: '',
  eligibility: 'codes',
  claim: '',
  claim_value: '',
}

/** A year: whoever wants more has mistyped. */
const openHoursMax = 8760

/** What `Date` can hold. */
const timeMax = 8.64e15

const lines = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')

/** What was sent, with the defaults for what was not. */
export const pollFormOf = (fields: { readonly [name: string]: string }): PollForm => ({
  ...emptyPollForm,
  ...Object.fromEntries(Object.entries(fields).filter(([name]) => Object.hasOwn(emptyPollForm, name))),
})

/** The form that would make this poll. */
export function formOfPoll(poll: Poll): PollForm {
  const { resultsVisible, eligibility } = poll
  return {
    title: poll.title,
    options: poll.options.map(({ label }) => label).join('\n'),
    regions: poll.regions.join('\n'),
    opens: new Date(poll.opensAtMs).toISOString().slice(0, 16),
    hours: String(Math.round((poll.closesAtMs - poll.opensAtMs) / 36_000) / 100),
    electorate: poll.electorate === null ? '' : String(poll.electorate),
    revote: poll.revote,
    max_choices: String(poll.maxChoices),
    allow_blank: poll.allowBlank ? 'yes' : '',
    visible: typeof resultsVisible === 'string' ? resultsVisible : 'from',
    visible_from: typeof resultsVisible === 'string' ? '' : String(resultsVisible.from),
    eligibility: eligibility.kind,
    claim: eligibility.kind === 'claim' ? eligibility.claim : '',
    claim_value: eligibility.kind === 'claim' ? eligibility.value : '',
  }
}

/** The checked input, or what to mend. Options that `before` has keep their ids. */
export function inputOfForm(
  form: PollForm,
  { isDraft, before, nowMs }: { readonly isDraft: boolean; readonly before: Poll | null; readonly nowMs: number },
): PollInput | InputProblem {
  const openHours = Number(form.hours)
  if (!(openHours > 0 && openHours <= openHoursMax)) {
    return new InputProblem(
      'hours',
      `hours must be above 0 and at most ${openHoursMax}, got ${JSON.stringify(form.hours)}.`,
    )
  }
  const opensAtMs = form.opens === '' ? nowMs : Date.parse(`${form.opens}Z`)
  const closesAtMs = opensAtMs + openHours * 3_600_000
  const timeOf = (ms: number): string => (Math.abs(ms) <= timeMax ? new Date(Math.round(ms)).toISOString() : form.opens)
  return checkPollInput(
    {
      title: form.title.trim(),
      options: optionsOf(lines(form.options), before),
      regions: lines(form.regions),
      opensAt: timeOf(opensAtMs),
      closesAt: timeOf(closesAtMs),
      electorate: form.electorate.trim() === '' ? null : Number(form.electorate),
      revote: form.revote,
      maxChoices: Number(form.max_choices),
      allowBlank: form.allow_blank === 'yes',
      resultsVisible: form.visible === 'from' ? { from: Number(form.visible_from) } : form.visible,
      eligibility: eligibilityOf(form),
      draft: isDraft,
    },
    nowMs,
  )
}

const eligibilityOf = (form: PollForm): Eligibility | object =>
  form.eligibility === 'claim'
    ? { kind: 'claim', claim: form.claim.trim(), value: form.claim_value.trim() }
    : { kind: form.eligibility }

function optionsOf(labels: readonly string[], before: Poll | null): { id: string; label: string }[] {
  const known = new Map(before?.options.map(({ id, label }) => [label, id]))
  const taken = new Set(known.values())
  let next = 1
  return labels.map((label) => {
    let id = known.get(label)
    known.delete(label)
    while (id === undefined) {
      const candidate = `o${next++}`
      if (!taken.has(candidate)) id = candidate
    }
    return { id, label }
  })
}
