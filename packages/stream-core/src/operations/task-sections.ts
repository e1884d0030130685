import type { GroupDescription, InstanceSummary } from './group-description.ts'
import { type Cell, figure, type Part, plain, quiet, type Section, type Tone } from './page-parts.ts'
import { count, plural, rate, share, span, time, unknown } from './phrases.ts'
import type { TaskView } from './task-views.ts'

/** More columns than that nobody reads: then the table names instances instead. */
const columnsMax = 8
const rowsOnPage = 200

export function instancesSection({ instances, atMs }: GroupDescription): Section {
  const rows = instances.map((instance) => {
    const { name, endpoint, isLocal, running, restoring, standby, perSecond, lag, lagMs, load, history, counts } =
      instance
    const busy = load === null ? null : load.process + load.punctuate + load.commit
    return [
      plain(isLocal ? `${name} (asked)` : name),
      plain(endpoint ?? 'no endpoint'),
      stateOf(instance),
      figure(count(running)),
      figure(count(restoring)),
      figure(count(standby)),
      { ...figure(rate(perSecond)), line: history.perSecond },
      { ...figure(count(lag)), line: history.lag },
      figure(span(lagMs)),
      figure(share(busy)),
      figure(counts === null ? unknown : count(counts.commits)),
      figure(counts === null ? unknown : count(counts.recoveries)),
      isLocal ? { ...figure('now'), tone: 'quiet' as const } : figure(heard(instance, atMs)),
    ]
  })
  const facts = instances.flatMap(({ name, facts: own }) =>
    own.map((fact) => [plain(name), plain(fact.name), plain(fact.value)]),
  )
  const more: Part[] =
    facts.length === 0
      ? []
      : [{ kind: 'table', caption: 'What the program adds', head: ['Instance', 'What', ''], rows: facts, empty: '' }]
  return {
    id: 'instances',
    title: 'Instances',
    parts: [
      {
        kind: 'table',
        caption: 'The group, instance by instance',
        head: [
          'Instance',
          'Endpoint',
          'State',
          'Runs',
          'Restores',
          'Copies',
          'Records',
          'Waiting',
          'Oldest',
          'Busy',
          'Commits',
          'Recoveries',
          'Answered',
        ],
        rows,
        empty: 'There is none.',
      },
      ...more,
    ],
  }
}

const heard = ({ heardMs }: InstanceSummary, atMs: number): string =>
  heardMs === null ? 'never' : atMs - heardMs < 2000 ? 'now' : `${span(atMs - heardMs)} ago`

function stateOf({ status, state, silentSinceMs, isPaused, counts }: InstanceSummary): Cell {
  if (status === 'silent') {
    return { text: `did not answer since ${time(silentSinceMs)}`, tone: 'trouble' }
  }
  if (status === 'gone') return quiet(`left; it was ${state ?? 'never heard of'}`)
  const tone: Tone = state === 'failed' ? 'trouble' : state === 'running' && !isPaused ? 'good' : 'attention'
  const failed = counts !== null && counts.failures > 0 ? `, ${plural(counts.failures, 'failure')}` : ''
  return { text: `${state}${isPaused ? ', paused' : ''}${failed}`, tone }
}

export function tasksSection({ tasks, instances, subtopologies }: GroupDescription): Section {
  const present = instances.filter(({ status }) => status !== 'gone')
  const isMatrix = present.length <= columnsMax
  const urgent = tasks.filter((task) => isUrgent(task))
  const calm = tasks.filter((task) => !isUrgent(task))
  const shown = tasks.length > rowsOnPage ? [...urgent, ...calm] : tasks
  return {
    id: 'tasks',
    title: 'Tasks',
    parts: [
      {
        kind: 'squares',
        label: `${plural(tasks.length, 'task')}: ${summaryOf(tasks)}. The table below has each of them.`,
        groups: subtopologies
          .filter(({ isGlobal }) => !isGlobal)
          .map(({ id }) => ({
            label: `part ${id}`,
            squares: tasks
              .filter(({ subtopology }) => subtopology === id)
              .map((task) => ({ title: `${task.taskId}: ${phaseText(task)}`, tone: toneOf(task) })),
          })),
      },
      { kind: 'text', text: `${plural(tasks.length, 'task')}: ${summaryOf(tasks)}.` },
      {
        kind: 'table',
        caption: isMatrix ? 'Which instance has which task' : 'Who has which task',
        head: [
          'Task',
          ...(isMatrix ? present.map(({ name }) => name) : ['Runs on', 'Copies on']),
          'Records',
          'Waiting',
          'Oldest',
          'Late',
          'Stream time',
        ],
        rows: shown.map((task) => [
          plain(task.taskId),
          ...(isMatrix ? present.map(({ processId }) => cellOf(task, processId)) : placesOf(task)),
          figure(rate(task.perSecond)),
          figure(count(task.lag)),
          figure(span(task.lagMs)),
          task.late === 0 ? figure('0') : { ...figure(count(task.late)), tone: 'attention' },
          quiet(time(task.streamTimeMs)),
        ]),
        empty: 'The group has no tasks yet.',
        rowsOnPage,
      },
      {
        kind: 'text',
        tone: 'quiet',
        text: 'A filled circle runs, a half one is being restored, an empty one is a copy of the state, with what it is behind. Waiting is in records of the inputs while a task runs, and of its changelogs before.',
      },
    ],
  }
}

const isUrgent = ({ phase, late }: TaskView): boolean => phase !== 'running' || late > 0

const toneOf = ({ phase, late }: TaskView): Tone => {
  if (phase === 'nobody' || phase === 'unknown') return 'trouble'
  return phase === 'running' && late === 0 ? 'good' : 'attention'
}

function phaseText({ phase, restore }: TaskView): string {
  if (phase === 'nobody') return 'nobody has it'
  if (phase === 'unknown') return 'its owner does not answer'
  if (phase === 'moving') return 'on its way'
  if (phase === 'running') return 'runs'
  if (restore === null) return 'is being restored'
  const { done, left, etaMs } = restore
  const percent = done + left === 0 ? 100 : Math.floor((done / (done + left)) * 100)
  return `restoring ${percent} %, ${etaMs === null ? 'time not known yet' : `${span(etaMs)} to go`}`
}

const signs: { readonly [phase in TaskView['phase']]: string } = {
  running: '●',
  restoring: '◐',
  moving: '◌',
  unknown: '?',
  nobody: '✕',
}

function cellOf(task: TaskView, processId: string | null): Cell {
  if (task.owner === processId) {
    return { text: `${signs[task.phase]} ${phaseText(task)}`, tone: toneOf(task) }
  }
  const copy = task.copies.find((candidate) => candidate.processId === processId)
  if (copy === undefined) return quiet('')
  return quiet(copy.lag === null ? '○ copy' : `○ copy, ${count(copy.lag)} behind`)
}

function placesOf(task: TaskView): readonly Cell[] {
  const owner = task.owner === null ? '' : ` on ${task.owner.slice(0, 8)}`
  return [
    { text: `${signs[task.phase]} ${phaseText(task)}${owner}`, tone: toneOf(task) },
    quiet(
      task.copies
        .map(({ processId, lag }) => `○ ${processId.slice(0, 8)}${lag === null ? '' : `, ${count(lag)} behind`}`)
        .join('; '),
    ),
  ]
}

function summaryOf(tasks: readonly TaskView[]): string {
  const names: readonly (readonly [TaskView['phase'], string])[] = [
    ['running', 'run'],
    ['restoring', 'being restored'],
    ['moving', 'on their way'],
    ['unknown', 'not known'],
    ['nobody', 'nobody’s'],
  ]
  const parts = names.flatMap(([phase, name]) => {
    const number = tasks.filter((task) => task.phase === phase).length
    return number === 0 ? [] : [`${count(number)} ${name}`]
  })
  const copies = tasks.reduce((sum, task) => sum + task.copies.length, 0)
  return [...parts, ...(copies > 0 ? [plural(copies, 'copy', 'copies')] : [])].join(', ') || 'none'
}
