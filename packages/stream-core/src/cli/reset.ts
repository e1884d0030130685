import type { OffsetSpec } from '../broker/broker.ts'
import { type Command, exitCode, listOf, noPositionals, readArguments, required, UsageError } from './command.ts'
import { logHelp, logOptions, withLog } from './open-log.ts'
import { printable } from '../common/printable.ts'
import { carryOut, planReset, type ResetPlan } from './reset-plan.ts'

const help = `stream-core reset --application-id <name> <log> [options]

Makes an application begin again: its positions in its input topics are moved, its internal topics (changelogs and
repartition topics) are deleted, and its state on this machine is. What it has written to output topics stays.
Refuses while the application has instances. If it fails half-way, run it again: it does what is left.

  --application-id <name>   which application
  --dry-run                 says what it would do, and changes nothing
  --input-topics <a,b>      move the positions in these only. Default: all that the application has positions in
  --to-earliest             begin with the first record there is (default)
  --to-latest               begin with what comes from now on
  --to-datetime <time>      begin with the first record of that time or later: 2026-01-31T12:00:00Z
  --internal-topics <a,b>   delete these only. Default: all that have the name of an internal topic of the application
  --state-dir <folder>      the stateDir of the instances of this machine: their state is deleted, too

State on other machines has to be deleted there: run the same with --state-dir on each, or delete the folder
<state-dir>/<application-id>.

${logHelp}`

export const reset: Command = {
  help,
  async run(args, { out, err }) {
    const { values, positionals } = readArguments('reset', args, {
      'application-id': { type: 'string' },
      'input-topics': { type: 'string' },
      'internal-topics': { type: 'string' },
      'state-dir': { type: 'string' },
      'to-earliest': { type: 'boolean' },
      'to-latest': { type: 'boolean' },
      'to-datetime': { type: 'string' },
      'dry-run': { type: 'boolean' },
      ...logOptions,
    })
    noPositionals('reset', positionals)
    const applicationId = required('application-id', values['application-id'], 'the name of the application')
    if (!/^[a-zA-Z0-9._-]{1,200}$/.test(applicationId) || /^\.+$/.test(applicationId)) {
      throw new UsageError(
        `--application-id ${JSON.stringify(applicationId)} is none: it has 1 to 200 of a-z A-Z 0-9 . _ -`,
      )
    }
    const options = {
      applicationId,
      inputTopics: listOf('input-topics', values['input-topics']),
      internalTopics: listOf('internal-topics', values['internal-topics']),
      stateDir: values['state-dir'] ?? null,
      to: target(values),
    }
    const isDry = values['dry-run'] ?? false
    await withLog(values, async (broker) => {
      const plan = await planReset(broker, options)
      out(textOf(plan, isDry))
      if (!isDry) await carryOut(broker, plan)
      if (options.stateDir === null) {
        err('State on disk was not looked at: delete it on every machine before the next start, or give --state-dir.')
      }
      err(isDry ? 'Nothing was changed: this was a dry run.' : 'Done.')
    })
    return exitCode.done
  },
}

function target(values: {
  readonly 'to-earliest'?: boolean | undefined
  readonly 'to-latest'?: boolean | undefined
  readonly 'to-datetime'?: string | undefined
}): OffsetSpec {
  const { 'to-datetime': time } = values
  const given = (['to-earliest', 'to-latest', 'to-datetime'] as const).filter((name) => values[name] !== undefined)
  if (given.length > 1) throw new UsageError(`${given.map((name) => `--${name}`).join(' and ')}: give one of them`)
  if (values['to-latest']) return 'latest-stable'
  if (time === undefined) return 'earliest'
  // A time without a zone would be another one on each machine.
  const isWhole = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d))?$/.test(time)
  const timestampMs = isWhole ? Date.parse(time) : NaN
  if (Number.isNaN(timestampMs) || timestampMs < 0) {
    throw new UsageError(
      `--to-datetime ${JSON.stringify(time)} is no time: expected a day, 2026-01-31 (in UTC), or a time with its zone, ` +
        '2026-01-31T12:00:00Z',
    )
  }
  return { timestampMs }
}

function textOf(plan: ResetPlan, isDry: boolean): string {
  const verb = (would: string, done: string): string => (isDry ? would : done)
  const lines: string[] = []
  for (const { topic, partition, from, to } of plan.moved) {
    const was = from < 0 ? 'no position' : `position ${from}`
    lines.push(`${verb('would move', 'moving')} ${printable(topic)}-${partition}: ${was} -> ${to}`)
  }
  for (const { topic, partition } of plan.forgotten) {
    lines.push(`${verb('would forget', 'forgetting')} the position in ${printable(topic)}-${partition}`)
  }
  for (const topic of plan.deletedTopics) {
    lines.push(`${verb('would delete', 'deleting')} the internal topic ${printable(topic)}`)
  }
  for (const { topic, applicationId } of plan.othersTopics) {
    lines.push(`leaving ${printable(topic)}: it seems to be the application ${printable(applicationId)}'s`)
  }
  if (plan.state !== null) {
    const { folder, taskIds } = plan.state
    const what = taskIds.length === 0 ? 'no task' : `${taskIds.length === 1 ? 'task' : 'tasks'} ${taskIds.join(', ')}`
    lines.push(`${verb('would delete', 'deleting')} the state of ${what} in ${printable(folder)}`)
  }
  return lines.length === 0 ? 'there is nothing to reset' : lines.join('\n')
}
