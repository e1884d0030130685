import type { Words } from '../messages/index.ts'
import type { PollCount } from '../poll-count.ts'
import type { Choices, CourseStep, PollCourse } from '../poll-course.ts'
import type { Poll } from '../poll-repository.ts'
import { type Html, html } from './html.ts'

const minuteMs = 60_000
const [width, height] = [600, 120]

/** How the poll went, for its organiser: votes per minute and turnout always, what tells of choices when everybody may see it. */
export function courseSection(words: Words, poll: Poll, { course, regions }: PollCount): Html | null {
  if (course === null) return null
  const { steps, stepMs, choices } = course
  const busiest = steps.reduce((most, step) => (step.votes > most.votes ? step : most))
  // Of a step that is not over the rest is still to come.
  const isOver = ({ startMs }: CourseStep): boolean => startMs + stepMs <= Date.now()
  const newest = steps.findLast(isOver) ?? steps.at(-1)!
  const minutes = stepMs / minuteMs
  const perMinute = ({ votes }: CourseStep): number => Math.round((votes * 10) / minutes) / 10
  return html`<h2>${words.say('courseHeading')}</h2>
    <p>
      ${words.say('votesPerMinute', {
        now: words.number(perMinute(newest)),
        most: words.number(perMinute(busiest)),
        time: words.moment(busiest.startMs),
      })}
    </p>
    ${steps.length < 2 ? null : bars(words, course, isOver)}
    ${poll.electorate === null || steps.length < 2 ? null : turnoutCurve(words, steps, poll.electorate)}
    <details>
      <summary>${words.say('courseTable')}</summary>
      ${courseTable(words, poll, course)}
    </details>
    ${choices === null ? html`<p class="note">${words.say('choicesLater')}</p>` : choicesPart(words, poll, choices, regions)}`
}

/** A picture of the table below it, so that it has no words of its own but its ends. */
const picture = (words: Words, name: string, most: string, steps: readonly CourseStep[], drawing: Html): Html =>
  html`<figure>
    <figcaption>${name}</figcaption>
    <div class="picture" dir="ltr" aria-hidden="true">
      <span>${most}</span>
      <svg viewBox="0 0 ${width} ${height}" preserveAspectRatio="none">${drawing}</svg>
      <span class="ends"
        ><bdi>${words.moment(steps[0]!.startMs)}</bdi><bdi>${words.moment(steps.at(-1)!.startMs)}</bdi></span
      >
    </div>
  </figure>`

function bars(words: Words, { steps, stepMs }: PollCourse, isOver: (step: CourseStep) => boolean): Html {
  const most = Math.max(1, ...steps.map(({ votes }) => votes))
  const each = width / steps.length
  const drawn = steps.map((step, i) => {
    const tall = (step.votes * height) / most
    return html`<rect
      class="${isOver(step) ? 'over' : 'now'}"
      x="${(i * each).toFixed(1)}"
      y="${(height - tall).toFixed(1)}"
      width="${Math.max(1, each - 1).toFixed(1)}"
      height="${tall.toFixed(1)}"
    />`
  })
  const name = words.say('votesPerStep', { n: stepMs / minuteMs })
  return picture(words, name, words.number(most), steps, html`${drawn}`)
}

function turnoutCurve(words: Words, steps: readonly CourseStep[], electorate: number): Html {
  const shares = steps.map(({ voters }) => voters / electorate)
  const most = Math.max(...shares, 0.01)
  const points = shares.map((share, i) => {
    const [x, y] = [(i * width) / (shares.length - 1), height - (share * height) / most]
    return `${x.toFixed(1)},${y.toFixed(1)}`
  })
  const line = html`<polyline points="${points.join(' ')}" />`
  return picture(words, words.say('turnoutCurve'), words.percent(most), steps, line)
}

/** The newest first. Shares are of voters, as on the page of results. */
function courseTable(words: Words, { options, electorate }: Poll, { steps, stepMs, choices }: PollCourse): Html {
  const number = (name: string): Html => html`<th scope="col" class="n"><bdi>${name}</bdi></th>`
  const cell = (text: string): Html => html`<td class="n">${text}</td>`
  const shares = choices === null ? [] : options
  return html`<div class="scroll" tabindex="0" role="group" aria-label="${words.say('courseTable')}">
    <table>
      <caption>
        ${words.say('courseCaption', { n: stepMs / minuteMs })}
      </caption>
      <thead>
        <tr>
          <th scope="col">${words.say('timeColumn')}</th>
          ${number(words.say('votesColumn'))}${number(words.say('changedColumn'))}${number(words.say('rejectedColumn'))}
          ${number(words.say('votersColumn'))}${electorate === null ? null : number(words.say('turnoutColumn'))}
          ${choices === null ? null : number(words.say('marginColumn'))}${shares.map(({ label }) => number(label))}
        </tr>
      </thead>
      <tbody>
        ${steps.toReversed().map(
          ({ startMs, votes, changed, rejected, voters, standing }, i, rows) =>
            html`<tr>
              <th scope="row">${momentAfter(words, startMs, rows[i - 1]?.startMs)}</th>
              ${[votes, changed, rejected, voters].map((n) => cell(words.number(n)))}
              ${electorate === null ? null : cell(words.percent(voters / electorate))}
              ${choices === null ? null : cell(standing === null ? '–' : words.number(standing.margin))}
              ${shares.map(({ id }) => cell(standing === null || voters === 0 ? '–' : words.percent((standing.totals[id] ?? 0) / voters)))}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`
}

/** The day stands where it is another one than in the row before. */
const momentAfter = (words: Words, ms: number, beforeMs: number | undefined): string =>
  beforeMs !== undefined && words.day(ms) === words.day(beforeMs) ? words.minute(ms) : words.moment(ms)

type Regions = PollCount['regions']

function choicesPart(words: Words, poll: Poll, { leads, flows }: Choices, regions: Regions): Html {
  const label = (id: string): string => poll.options.find((option) => option.id === id)?.label ?? id
  const leadLine = ({ at, from, to, margin, voters: n }: Choices['leads'][number]): string => {
    const line = { time: words.momentWithSeconds(at), option: label(to), margin, n }
    return from === null ? words.say('leadFirst', line) : words.say('leadTaken', { ...line, other: label(from) })
  }
  const none = html`<p>${words.say('noneHere')}</p>`
  return html`<h3>${words.say('leadsHeading')}</h3>
    ${
      leads.length === 0
        ? none
        : html`<ul>
            ${leads.map((lead) => html`<li>${leadLine(lead)}</li>`)}
          </ul>`
    }
    ${
      poll.revote === 'first'
        ? null
        : html`<h3>${words.say('flowsHeading')}</h3>
            ${
              flows.length === 0
                ? none
                : html`<ul>
                    ${flows.map(({ from, to, voters }) => html`<li>${words.say('flow', { from: label(from), to: label(to), n: voters })}</li>`)}
                  </ul>`
            }
            <p class="small">${words.say('flowsNote')}</p>`
    }
    ${poll.regions.length === 0 || regions === null ? null : regionTable(words, poll, regions)}`
}

const regionTable = (words: Words, { options, regions: names }: Poll, regions: NonNullable<Regions>): Html =>
  html`<h3 id="by-region">${words.say('byRegion')}</h3>
    <div class="scroll" tabindex="0" role="group" aria-labelledby="by-region">
      <table>
        <thead>
          <tr>
            <th scope="col">${words.say('regionLabel')}</th>
            ${options.map(({ label }) => html`<th scope="col" class="n"><bdi>${label}</bdi></th>`)}
          </tr>
        </thead>
        <tbody>
          ${names.map(
            (region) =>
              html`<tr>
                <th scope="row"><bdi>${region}</bdi></th>
                ${options.map(({ id }) => html`<td class="n">${words.number(regions[region]?.[id] ?? 0)}</td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`
