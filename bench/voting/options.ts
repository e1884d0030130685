import { parseArgs } from 'node:util'
import type { Log } from './system.ts'

export const scenarioNames = ['pace', 'pages', 'stalled', 'viewer-killed', 'beyond', 'soak'] as const
export type ScenarioName = (typeof scenarioNames)[number]

export const help = `npm run scalability -- [options]       how far the voting system scales on this machine

  --quick                 proves that it works, within minutes; its figures say little
  --scenarios <names>     of ${scenarioNames.join(', ')}
  --log <names>           embedded, kafka                         (default: embedded,kafka)
  --tallies <numbers>     how many count, in pace                 (default: 1,2)
  --rates <numbers>       votes per second of pace, ascending     (default: 100,500,1000,1500,2000,3000,4000,6000)
  --seconds <number>      of each measurement                     (default: 20)
  --pages <number>        that watch                              (default: 10000)
  --tick-ms <number>      TICK_MS of the viewer                   (default: its own)
  --soak-minutes <number>                                         (default: 30)
  --json                  a line per measurement instead of tables
  --help                  this text

Ends with 1 if a ballot was lost or counted twice or a page was left behind.`

/** A mistake in the command line. */
export class UsageError extends Error {}

export interface ScalabilityOptions {
  readonly isQuick: boolean
  readonly isJson: boolean
  readonly logs: readonly Log[]
  readonly tallies: readonly number[]
  readonly scenarios: ReadonlySet<ScenarioName>
  /** Votes per second, one after the other, until they are too many. */
  readonly rates: readonly number[]
  readonly seconds: number
  readonly pages: number
  readonly soakMinutes: number
  /** null: the viewer's own. */
  readonly tickMs: number | null
}

/** What the command was asked. Throws a UsageError that names the option, its value and what is expected. */
export function readOptions(args: readonly string[]): ScalabilityOptions {
  const values = parsed(args)
  const isQuick = values.quick
  const soakMinutes = Number(values['soak-minutes'] ?? (isQuick ? '0.1' : '30'))
  if (!(soakMinutes > 0)) throw new UsageError(`--soak-minutes must be above 0; got ${values['soak-minutes']}`)
  const numbers = (option: string, text: string): readonly number[] => text.split(',').map((one) => count(option, one))
  const rates = isQuick ? '20,50' : '100,500,1000,1500,2000,3000,4000,6000'
  return {
    isQuick,
    isJson: values.json,
    logs: listed('log', values.log, ['embedded', 'kafka']),
    tallies: numbers('tallies', values.tallies),
    scenarios: new Set(listed('scenarios', values.scenarios, scenarioNames)),
    rates: numbers('rates', values.rates ?? rates),
    seconds: count('seconds', values.seconds ?? (isQuick ? '2' : '20')),
    pages: count('pages', values.pages ?? (isQuick ? '200' : '10000')),
    soakMinutes,
    tickMs: values['tick-ms'] === undefined ? null : count('tick-ms', values['tick-ms']),
  }
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        quick: { type: 'boolean', default: false },
        log: { type: 'string', default: 'embedded,kafka' },
        tallies: { type: 'string', default: '1,2' },
        scenarios: { type: 'string', default: scenarioNames.join(',') },
        rates: { type: 'string' },
        seconds: { type: 'string' },
        pages: { type: 'string' },
        'tick-ms': { type: 'string' },
        'soak-minutes': { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function listed<const Name extends string>(option: string, text: string, known: readonly Name[]): readonly Name[] {
  return text.split(',').map((name) => {
    const found = known.find((one) => one === name)
    if (found === undefined) throw new UsageError(`--${option}: there is no "${name}": ${known.join(', ')}`)
    return found
  })
}

function count(option: string, text: string): number {
  const number = Number(text)
  if (Number.isSafeInteger(number) && number > 0) return number
  throw new UsageError(`--${option} must be whole numbers above 0; got ${text}`)
}
