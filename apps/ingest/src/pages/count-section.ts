import type { Key, Words } from '../messages/index.ts'
import type { PollCount } from '../poll-count.ts'
import type { Poll } from '../poll-repository.ts'
import { courseSection } from './course-section.ts'
import { type Html, html } from './html.ts'

const reasonKeys = {
  'unknown-poll': 'rejected-unknown-poll',
  closed: 'rejected-closed',
  'unknown-option': 'rejected-unknown-option',
  'too-many-choices': 'rejected-too-many-choices',
  'blank-not-allowed': 'rejected-blank-not-allowed',
  'already-voted': 'rejected-already-voted',
  malformed: 'rejected-malformed',
} as const satisfies { readonly [reason: string]: Key }

const reasonWords = (words: Words, reason: string): string =>
  Object.hasOwn(reasonKeys, reason) ? words.say(reasonKeys[reason as keyof typeof reasonKeys]) : reason

/** How the counting goes, for the organiser: how many, what was rejected, what to look at, and how it went so far. */
export function countSection(words: Words, poll: Poll, count: PollCount | null): Html {
  const { electorate } = poll
  if (count === null)
    return html`<h2>${words.say('countingHeading')}</h2>
      <p>${words.say('noneCounted')}</p>`
  const { accounting, voters, rejections, bursts } = count
  const { recorded, accepted, superseded, rejected, duplicates } = accounting
  return html`<h2>${words.say('countingHeading')}</h2>
    <p>
      ${words.say('countingSum', { recorded, accepted, superseded, rejected, duplicates })}
      ${electorate === null ? null : words.say('turnout', { share: words.percent(voters / electorate), electorate })}
    </p>
    ${
      rejections.length === 0
        ? null
        : html`<p>${words.say('rejectedHeading')}</p>
            <ul>
              ${rejections.map(
                ([reason, ballots]) =>
                  html`<li>${words.say('rejectedLine', { n: ballots, reason: reasonWords(words, reason) })}</li>`,
              )}
            </ul>`
    }
    ${
      bursts.length === 0
        ? null
        : html`<p>${words.say('burstsHeading')}</p>
            <ul>
              ${bursts.map(
                ({ start, end, recorded: ballots, rejected: refused }) =>
                  html`<li>
                    ${words.say('burst', {
                      time: words.momentWithSeconds(start),
                      seconds: (end - start) / 1000,
                      n: ballots,
                      rejected: refused,
                    })}
                  </li>`,
              )}
            </ul>`
    }
    ${courseSection(words, poll, count)}`
}
