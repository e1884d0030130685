import type { GroupDescription } from './group-description.ts'
import { keySection } from './key-section.ts'
import type { PageContent, Section, Table, Tone } from './page-parts.ts'
import { figure, plain, quiet } from './page-parts.ts'
import { count, plural, rate, span, time, unknown } from './phrases.ts'
import { instancesSection, tasksSection } from './task-sections.ts'

/** Everything that is shown, in the order in which it is needed. */
export function pageContent(group: GroupDescription): PageContent {
  const { applicationId, findings, askedOf, atMs, generationId, topologyHash } = group
  const worst = findings[0]!.level
  const others = findings.filter(({ level }) => level === worst).length
  const verdicts = {
    fine: 'All is well',
    attention: plural(others, 'thing needs attention', 'things need attention'),
    trouble: plural(others, 'thing is in trouble', 'things are in trouble'),
  }
  const generation = generationId < 0 ? 'no generation yet' : `generation ${generationId}`
  return {
    title: `${applicationId}: operations`,
    verdict: { tone: toneOf(worst), text: verdicts[worst] },
    about: `As instance ${askedOf} sees it, ${time(atMs)}; group ${generation}, topology ${topologyHash}`,
    sections: [
      nowSection(group),
      instancesSection(group),
      tasksSection(group),
      restoresSection(group),
      topologySection(group),
      latencySection(group),
      timelineSection(group),
      lettersSection(group),
      keySection(group),
    ],
  }
}

const toneOf = (level: 'fine' | 'attention' | 'trouble'): Tone => (level === 'fine' ? 'good' : level)

function nowSection({ findings, tasks, instances, stages }: GroupDescription): Section {
  const present = instances.filter(({ status }) => status !== 'gone')
  const answering = present.filter(({ status }) => status === 'answers')
  const running = tasks.filter(({ phase }) => phase === 'running')
  const total = (values: readonly (number | null)[]): number | null =>
    values.reduce((sum, value) => (value === null ? sum : (sum ?? 0) + value), null)
  const oldest = tasks.reduce<number | null>(
    (most, { lagMs }) => (lagMs === null ? most : Math.max(most ?? 0, lagMs)),
    null,
  )
  const slowest = stages
    .filter(({ stage }) => stage === 'record to processed')
    .reduce<number | null>((most, { p99Ms }) => Math.max(most ?? 0, p99Ms), null)
  return {
    id: 'now',
    title: 'Now',
    parts: [
      {
        kind: 'findings',
        findings: findings.map(({ level, text, advice }) => ({ tone: toneOf(level), text, advice })),
      },
      {
        kind: 'figures',
        figures: [
          {
            name: 'Tasks that run',
            value: {
              ...figure(`${count(running.length)} of ${count(tasks.length)}`),
              tone: running.length === tasks.length ? 'good' : 'attention',
            },
            note: '',
          },
          {
            name: 'Instances that answer',
            value: {
              ...figure(`${count(answering.length)} of ${count(present.length)}`),
              tone: answering.length === present.length ? 'good' : 'trouble',
            },
            note: '',
          },
          {
            name: 'Records',
            value: figure(rate(total(tasks.map(({ perSecond }) => perSecond)))),
            note: 'through all tasks',
          },
          {
            name: 'Records that wait',
            value: figure(count(total(tasks.map(({ lag }) => lag)))),
            note: 'in the inputs',
          },
          { name: 'The oldest of them', value: figure(span(oldest)), note: 'by its own time' },
          { name: 'Record to processed', value: figure(span(slowest)), note: '99 of 100, the last minute' },
        ],
      },
    ],
  }
}

function topologySection({ subtopologies }: GroupDescription): Section {
  const rows = subtopologies.flatMap(({ id, isGlobal, isAsync, nodes }) =>
    nodes.map(({ name, kind, parents, topics, stores, perSecond, lag, lagMs, dropped }) => [
      plain(isGlobal ? `${id} (global)` : isAsync ? `${id} (async)` : `${id}`),
      plain(name),
      plain(kind),
      quiet([...topics, ...parents.map((parent) => `after ${parent}`)].join(', ')),
      quiet(stores.join(', ')),
      figure(rate(perSecond)),
      kind === 'source' ? figure(count(lag)) : quiet(''),
      kind === 'source' ? figure(span(lagMs)) : quiet(''),
      dropped.length === 0
        ? quiet('')
        : {
            text: dropped.map(({ reason, count: records }) => `${count(records)} ${reason}`).join(', '),
            tone: 'attention' as const,
          },
    ]),
  )
  return {
    id: 'topology',
    title: 'Topology',
    parts: [
      { kind: 'graph', subtopologies },
      {
        kind: 'table',
        caption: 'The same as a table',
        head: ['Part', 'Node', 'Kind', 'Topics and parents', 'Stores', 'Records', 'Waiting', 'Oldest', 'Dropped'],
        rows,
        empty: 'The topology has no nodes.',
        isFolded: true,
      },
    ],
  }
}

function restoresSection({ tasks }: GroupDescription): Section {
  const restores = tasks.flatMap(({ taskId, owner, restore }) => (restore === null ? [] : [{ taskId, owner, restore }]))
  const table: Table = {
    kind: 'table',
    caption: 'Restores under way',
    head: ['Task', 'Instance', 'Done', 'Records left', 'To go', 'Changelogs, from > at > to'],
    rows: restores.map(({ taskId, owner, restore: { done, left, etaMs, changelogs } }) => [
      plain(taskId),
      plain(owner?.slice(0, 8) ?? unknown),
      { ...figure(percentOf(done, left)), done: done + left === 0 ? 1 : done / (done + left) },
      figure(count(left)),
      figure(etaMs === null ? 'not known yet' : span(etaMs)),
      quiet(changelogs.map(({ topic, from, position, end }) => `${topic} ${from} > ${position} > ${end}`).join('; ')),
    ]),
    empty: 'No task is being restored.',
  }
  return { id: 'restores', title: 'Restores', parts: [table] }
}

export const percentOf = (done: number, left: number): string =>
  done + left === 0 ? '100 %' : `${Math.floor((done / (done + left)) * 100)} %`

function latencySection({ stages }: GroupDescription): Section {
  const rows = stages.map(({ stage, of, instance, count: number, meanMs, p50Ms, p99Ms, isOver }) => [
    plain(stage),
    quiet(of === '' ? 'all' : stage === 'commit' ? `group ${of}` : `part ${of}`),
    plain(instance),
    figure(count(number)),
    figure(span(meanMs)),
    figure(span(p50Ms)),
    figure(isOver ? `more than ${span(p99Ms)}` : span(p99Ms)),
  ])
  return {
    id: 'latency',
    title: 'Latency by stage',
    parts: [
      {
        kind: 'table',
        caption: 'The last minute',
        head: ['Stage', 'Of', 'Instance', 'Times', 'Mean', 'Half of them', '99 of 100'],
        rows,
        empty: 'Nothing was timed in the last minute.',
      },
      {
        kind: 'text',
        tone: 'quiet',
        text: 'Record to processed begins with the time in the record, and is that of one record in each slice of processing. Records are visible to others after the next commit.',
      },
    ],
  }
}

function timelineSection({ timeline, atMs }: GroupDescription): Section {
  const tones: { readonly [kind: string]: Tone } = { failure: 'trouble', recovery: 'attention' }
  return {
    id: 'timeline',
    title: 'Timeline',
    parts: [
      {
        kind: 'table',
        caption: 'Rebalances, restores and errors, the newest first',
        head: ['When', 'Ago', 'Instance', 'What', 'Took', ''],
        rows: timeline.map(({ atMs: then, instance, kind, durationMs, text }) => [
          plain(time(then)),
          figure(span(Math.max(0, atMs - then))),
          plain(instance),
          tones[kind] === undefined ? plain(kind) : { text: kind, tone: tones[kind] },
          figure(durationMs === null ? '' : span(durationMs)),
          plain(text),
        ]),
        empty: 'Nothing has happened yet.',
      },
      {
        kind: 'text',
        tone: 'quiet',
        text: 'A rebalance takes from the join, which waits for all others, to when its assignment is carried out. Tasks that stay process meanwhile.',
      },
    ],
  }
}

function lettersSection({ deadLetters }: GroupDescription): Section {
  const { topic, total, newest, problem, sent } = deadLetters
  if (topic === null) {
    const text =
      'The application names no dead-letter topic: what fails stops it, or is dropped and counted at its node.'
    return { id: 'dead-letters', title: 'Dead letters', parts: [{ kind: 'text', text }] }
  }
  const isClosed = newest.some(({ message }) => message === null)
  const letters: Table = {
    kind: 'table',
    caption: `The newest in ${topic}`,
    head: ['When', 'Where', 'From', 'Error', ...(isClosed ? [] : ['Message', 'Key', 'Value'])],
    rows: newest.map((letter) => [
      plain(time(letter.timestampMs)),
      plain(`${letter.partition}@${letter.offset}`),
      plain(letter.from),
      plain(letter.exception),
      ...(isClosed ? [] : [letter.message, letter.key, letter.value].map((text) => plain(text ?? unknown))),
    ]),
    empty: problem === null ? 'There are none.' : 'They could not be read.',
  }
  const counts: Table = {
    kind: 'table',
    caption: 'Sent since the tasks run here',
    head: ['From the topic', 'Error', 'Records'],
    rows: sent.map((letter) => [plain(letter.topic), plain(letter.class), figure(count(letter.count))]),
    empty: 'None was sent since the tasks run here.',
  }
  return {
    id: 'dead-letters',
    title: 'Dead letters',
    parts: [
      {
        kind: 'text',
        text: total === null ? `Topic ${topic}.` : `Topic ${topic} has about ${plural(total, 'record')}.`,
      },
      ...(problem === null ? [] : [{ kind: 'text' as const, tone: 'attention' as const, text: problem }]),
      counts,
      letters,
      ...(isClosed
        ? [
            {
              kind: 'text' as const,
              tone: 'quiet' as const,
              text: `Messages, keys and values may hold what people wrote, and are not shown here. stream-core dead-letters --topic ${topic} shows them; so does this page with showValues.`,
            },
          ]
        : []),
    ],
  }
}
