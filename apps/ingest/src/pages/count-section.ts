import type { PollCount } from '../poll-count.ts'
import type { Poll } from '../poll-repository.ts'
import { type Html, html } from './html.ts'

const number = new Intl.NumberFormat('en')
const percent = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 1 })
const clock = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'medium', timeZone: 'UTC' })

const reasonWords: { readonly [reason: string]: string } = {
  'unknown-poll': 'the poll was not open in the log',
  closed: 'after the close',
  'unknown-option': 'no such option',
  'too-many-choices': 'too many choices',
  'blank-not-allowed': 'blank',
  'already-voted': 'another ballot of the voter came first',
  malformed: 'not readable',
}

/** How the counting goes, for the organiser: how many, what was rejected, what to look at. Not for what anybody voted. */
export function countSection({ electorate }: Poll, count: PollCount | null): Html {
  if (count === null)
    return html`<h2>Counting</h2>
      <p>No ballot has been counted yet.</p>`
  const { accounting, voters, rejections, bursts } = count
  const { recorded, accepted, superseded, rejected, duplicates } = accounting
  const n = (value: number): string => number.format(value)
  return html`<h2>Counting</h2>
    <p>
      ${n(recorded)} ballots recorded = ${n(accepted)} counting now + ${n(superseded)} superseded + ${n(rejected)}
      rejected + ${n(duplicates)} duplicates.
      ${electorate === null ? null : html`Turnout: ${percent.format(voters / electorate)} of ${n(electorate)}.`}
    </p>
    ${
      rejections.length === 0
        ? null
        : html`<p>Rejected:</p>
            <ul>
              ${rejections.map(([reason, ballots]) => html`<li>${n(ballots)}: ${reasonWords[reason] ?? reason}</li>`)}
            </ul>`
    }
    ${
      bursts.length === 0
        ? null
        : html`<p>Many more ballots than usual, to be looked at; they count like all others:</p>
            <ul>
              ${bursts.map(
                ({ start, end, recorded: ballots, rejected: refused }) =>
                  html`<li>
                    ${clock.format(start)} UTC, ${n((end - start) / 1000)} s: ${n(ballots)} ballots, of which
                    ${n(refused)} rejected
                  </li>`,
              )}
            </ul>`
    }`
}
