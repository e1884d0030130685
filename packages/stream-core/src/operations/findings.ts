import type { GroupDescription, InstanceSummary } from './group-description.ts'
import type { InstanceReport } from './instance-report.ts'
import { count, plural, rate, some, span, time } from './phrases.ts'

/** Something that an operator ought to know. */
export interface Finding {
  /** `trouble`: results do not come, or may be lost. `attention`: it may become that, or ought to be known. */
  readonly level: 'trouble' | 'attention' | 'fine'
  readonly text: string
  /** What to do; '' where there is nothing. */
  readonly advice: string
}

export interface FindingParts extends Pick<
  GroupDescription,
  'atMs' | 'generationId' | 'instances' | 'tasks' | 'subtopologies' | 'timeline' | 'deadLetters'
> {
  /** Of those that answer. */
  readonly reports: readonly InstanceReport[]
  readonly delayMs: number
}

const recentMs = 600_000
/** More of its time than that, and an instance has nothing in hand. */
const busyShare = 0.9
/** Instances whose clocks differ by so much tell times that cannot be compared. */
const clockSkewMs = 5000

/** Looks at a group as somebody would who knows what goes wrong. The worst first; never nothing. */
export function findingsOf(parts: FindingParts): readonly Finding[] {
  const found = [
    ...instanceFindings(parts),
    ...taskFindings(parts),
    ...delayFindings(parts),
    ...recentFindings(parts),
    ...recordFindings(parts),
  ]
  const trouble = found.filter(({ level }) => level === 'trouble')
  const attention = found.filter(({ level }) => level === 'attention')
  const fine = found.filter(({ level }) => level === 'fine')
  if (trouble.length + attention.length === 0) {
    const { tasks, instances } = parts
    const text = `All ${plural(tasks.length, 'task')} run on ${plural(instances.filter(isPresent).length, 'instance')}, and nothing waits for long`
    return [
      { level: 'fine', text: tasks.length === 1 ? text.replace('All 1 task run', 'The task runs') : text, advice: '' },
      ...fine,
    ]
  }
  return [...trouble, ...attention, ...fine]
}

function instanceFindings({ instances, atMs, delayMs }: FindingParts): Finding[] {
  const findings: Finding[] = []
  for (const instance of instances) {
    const { name, status, reason, silentSinceMs, heardMs, state, error, isPaused } = instance
    if (status === 'silent') {
      const last = heardMs === null ? 'it has not answered yet' : `it answered last at ${time(heardMs)}`
      findings.push({
        level: 'trouble',
        text: `Instance ${name} does not answer, since ${time(silentSinceMs)} (${span(atMs - (silentSinceMs ?? atMs))}); ${last}: ${reason ?? ''}`,
        advice:
          'Look whether its process lives and its port is open. If it is dead the group gives its tasks to others',
      })
      continue
    }
    if (status === 'gone') {
      findings.push({
        level: 'fine',
        text: `Instance ${name} has left the group; it was heard of last at ${time(heardMs)}`,
        advice: '',
      })
      continue
    }
    if (error !== null) {
      findings.push({
        level: 'trouble',
        text: `Instance ${name} is ${state}: ${error}`,
        advice: 'Its log has the stack. Mend what it names and start it again: it goes on from the last commit',
      })
    } else if (state !== 'running' && state !== 'restoring') {
      findings.push({ level: 'attention', text: `Instance ${name} is ${state}`, advice: waiting(state) })
    }
    if (isPaused) {
      findings.push({
        level: 'attention',
        text: `Instance ${name} is paused: it keeps its tasks and takes no record`,
        advice: 'The program resumes it with resume()',
      })
    }
    findings.push(...loadFindings(instance, delayMs))
  }
  const hashes = new Set(instances.filter(isPresent).flatMap(({ topologyHash }) => topologyHash ?? []))
  if (hashes.size > 1) {
    findings.push({
      level: 'attention',
      text: `${hashes.size} versions of the topology run at a time: ${[...hashes].join(', ')}`,
      advice: 'That is so while an upgrade goes round. When it stays so, some instance was forgotten',
    })
  }
  const clocks = instances.filter(
    ({ status, isLocal, heardMs, clockMs }) =>
      status === 'answers' &&
      !isLocal &&
      heardMs !== null &&
      clockMs !== null &&
      Math.abs(clockMs - heardMs) > clockSkewMs,
  )
  if (clocks.length > 0) {
    findings.push({
      level: 'attention',
      text: `The clocks of ${some(clocks.map(({ name }) => name))} differ from this one's by more than ${span(clockSkewMs)}`,
      advice: 'Ages and times of events are off by as much: set the clocks',
    })
  }
  return findings
}

const isPresent = ({ status }: InstanceSummary): boolean => status === 'answers'

const waiting = (state: string | null): string =>
  state === 'starting' ? 'It waits for the log, or for its topics. Its log says which' : ''

function loadFindings({ name, load, lagMs }: InstanceSummary, delayMs: number): Finding[] {
  if (load === null) return []
  const busy = load.process + load.punctuate + load.commit
  if (busy < busyShare || (lagMs ?? 0) < delayMs) return []
  return [
    {
      level: 'attention',
      text: `Instance ${name} is at its limit: ${Math.round(busy * 100)} % of its time goes into work, and records wait`,
      advice: 'Another instance takes a part of its tasks, if there are more tasks than instances',
    },
  ]
}

function taskFindings({ tasks }: FindingParts): Finding[] {
  const findings: Finding[] = []
  const having = (wanted: string) => tasks.filter(({ phase }) => phase === wanted)
  const names = (found: typeof tasks): string => some(found.map(({ taskId }) => taskId))
  const nobody = having('nobody')
  if (nobody.length > 0) {
    findings.push({
      level: 'trouble',
      text: `Nobody has ${plural(nobody.length, 'task')}: ${names(nobody)}`,
      advice: 'While the group shares out its tasks that lasts seconds. If it stays, start an instance',
    })
  }
  const unknownOnes = having('unknown')
  if (unknownOnes.length > 0) {
    findings.push({
      level: 'attention',
      text: `What ${plural(unknownOnes.length, 'task')} of instances that do not answer are doing is not known: ${names(unknownOnes)}`,
      advice: '',
    })
  }
  const moving = having('moving')
  if (moving.length > 0) {
    findings.push({
      level: 'attention',
      text: `${plural(moving.length, 'task')} on the way to a new owner: ${names(moving)}`,
      advice: 'The one who had it commits first. That takes as long as a commit',
    })
  }
  const restoring = having('restoring')
  if (restoring.length > 0) {
    const left = restoring.reduce((sum, { restore }) => sum + (restore?.left ?? 0), 0)
    const etas = restoring.map(({ restore }) => restore?.etaMs ?? null)
    const eta = etas.includes(null)
      ? 'how long that takes is not known yet'
      : `about ${span(Math.max(...(etas as number[])))} to go`
    findings.push({
      level: 'attention',
      text: `${plural(restoring.length, 'task')} being restored (${names(restoring)}): ${plural(left, 'record')} left, ${eta}`,
      advice: 'It goes on from what is on the disk. Restarting it gains nothing; standbys spare it the next time',
    })
  }
  return findings
}

function delayFindings({ tasks, instances, reports, delayMs }: FindingParts): Finding[] {
  const late = tasks.filter(({ lagMs }) => lagMs !== null && lagMs > delayMs)
  if (late.length === 0) return []
  const worst = late.toSorted((a, b) => b.lagMs! - a.lagMs!)
  const lag = late.reduce((sum, task) => sum + (task.lag ?? 0), 0)
  const trend = trendOf(instances)
  const isStuck = reports.some(
    ({ state, isPaused, stages, history, tasks: own }) =>
      state === 'running' &&
      !isPaused &&
      history.lag.length > 12 &&
      own.some(({ lagMs }) => (lagMs ?? 0) > delayMs) &&
      !stages.some(({ stage }) => stage === 'commit'),
  )
  return [
    {
      level: isStuck ? 'trouble' : 'attention',
      text:
        `${plural(late.length, 'task')} behind by more than ${span(delayMs)}: ` +
        `${some(
          worst.map(({ taskId, lagMs }) => `${taskId} by ${span(lagMs)}`),
          4,
        )}; ${plural(lag, 'record')} wait, ${trend}`,
      advice: isStuck
        ? 'An instance has not committed in the last minute: its log says what it waits for'
        : 'Times are those in the records: what was written late is old when it comes',
    },
  ]
}

/** Whether what waits becomes less, and when there is none of it if it goes on so. */
function trendOf(instances: readonly InstanceSummary[]): string {
  let [first, last, spanMs] = [0, 0, 0]
  for (const { status, history } of instances) {
    const recent = status === 'answers' ? history.lag.slice(-12) : []
    if (recent.length < 2) continue
    first += recent[0]!
    last += recent.at(-1)!
    spanMs = Math.max(spanMs, (recent.length - 1) * history.everyMs)
  }
  if (spanMs === 0) return 'whether more or less is not known yet'
  const perSecond = ((first - last) * 1000) / spanMs
  if (perSecond > 0) return `${rate(perSecond)} less, so done in about ${span((last / perSecond) * 1000)}`
  return perSecond < 0 ? `${rate(-perSecond)} more` : 'neither more nor less'
}

function recentFindings({ timeline, atMs, instances }: FindingParts): Finding[] {
  const present = new Set(instances.filter(isPresent).map(({ name }) => name))
  const recent = timeline.filter(({ atMs: then, instance }) => present.has(instance) && atMs - then < recentMs)
  const findings: Finding[] = []
  for (const [kind, what] of [
    ['recovery', 'went back to the last commit'],
    ['failure', 'an error ended what ran'],
  ] as const) {
    const events = recent.filter((event) => event.kind === kind)
    if (events.length === 0) continue
    const [newest] = events
    findings.push({
      level: 'attention',
      text: `${plural(events.length, 'time')} in ten minutes ${what}, last at ${time(newest!.atMs)} on ${newest!.instance}: ${newest!.text}`,
      advice:
        kind === 'recovery'
          ? 'Once is nothing: nothing is lost or counted twice. Again and again means a log that fails'
          : '',
    })
  }
  const rebalances = recent.filter(({ kind }) => kind === 'rebalance')
  if (rebalances.length > 10 * present.size) {
    findings.push({
      level: 'attention',
      text: `${plural(rebalances.length, 'rebalance')} in ten minutes`,
      advice: 'Instances come and go: look for restarts, or for pauses longer than the session timeout',
    })
  }
  return findings
}

function recordFindings({ subtopologies, deadLetters }: FindingParts): Finding[] {
  const findings: Finding[] = []
  const dropped = subtopologies.flatMap(({ nodes }) =>
    nodes.flatMap(({ name, dropped: reasons }) => reasons.map((reason) => ({ name, ...reason }))),
  )
  if (dropped.length > 0) {
    const sum = dropped.reduce((all, { count: records }) => all + records, 0)
    const named = dropped
      .toSorted((a, b) => b.count - a.count)
      .map(({ name, reason, count: records }) => `${count(records)} at ${name} (${reason})`)
    findings.push({
      level: 'attention',
      text: `${plural(sum, 'record')} dropped since the tasks run here: ${some(named, 3)}`,
      advice:
        'Each has its reason; "late" and "expired" mean that a window was closed already: a longer grace keeps it open',
    })
  }
  const sent = deadLetters.sent.reduce((sum, letter) => sum + letter.count, 0)
  if (sent > 0) {
    findings.push({
      level: 'attention',
      text: `${plural(sent, 'record')} sent to the dead letters in ${deadLetters.topic ?? '?'} since the tasks run here`,
      advice: `stream-core dead-letters --topic ${deadLetters.topic ?? '?'} lists them with what is in them`,
    })
  }
  return findings
}
