import type { Quantiles } from './latencies.ts'
import type { Usage } from './observe.ts'
import type { Row } from './scenarios.ts'

type Column = readonly [title: string, of: (row: Row) => string]

const text = (value: unknown): string => (value === null || value === undefined ? '–' : JSON.stringify(value))
const member =
  (name: string) =>
  (row: Row): string =>
    text(row[name])
const times = (value: unknown): string => {
  const { p50, p99 } = (value ?? { p50: null, p99: null }) as Quantiles
  return `${text(p50)} / ${text(p99)}`
}
const timesOf =
  (name: string) =>
  (row: Row): string =>
    times(row[name])
const usageOf = (usage: unknown): string =>
  ((usage ?? []) as readonly Usage[])
    .map(({ part, cores, rssMb, loopDelayP99Ms }) => `${part} ${cores} / ${rssMb} / ${loopDelayP99Ms}`)
    .join(', ')
const usage: Column = ['cores / MB / loop delay p99 ms', (row) => usageOf(row['usage'])]
const answers: Column = ['answers', (row) => JSON.stringify(row['answers'])]
const counted: readonly Column[] = [
  ['acknowledged', member('acknowledged')],
  ['lost', member('lost')],
  ['surplus', member('surplus')],
]

const columns: { readonly [scenario: string]: readonly Column[] } = {
  pace: [
    ['votes/s', member('rate')],
    ['sustained', member('isSustained')],
    ['acknowledged/s', member('acknowledgedPerS')],
    ['to the answer, p50 / p99 ms', timesOf('ackMs')],
    ['to the screen, p50 / p99 ms', timesOf('toScreenMs')],
    ...counted,
    usage,
  ],
  beyond: [
    ['votes/s', member('rate')],
    ['acknowledged/s', member('acknowledgedPerS')],
    answers,
    ['no connection free', member('turnedAway')],
    ['to the answer, p50 / p99 ms', timesOf('ackMs')],
    ['to being told to come again, p50 / p99 ms', timesOf('overloadedMs')],
    ...counted,
    ['counted after s', member('countedAfterS')],
    ['afterwards to the screen, p50 / p99 ms', timesOf('toScreenAfterwardsMs')],
    usage,
  ],
  pages: [
    ['pages', member('pages')],
    ['of', member('of')],
    ['joined, p50 / p99 ms', (row) => ((row['join'] as { ms: readonly Quantiles[] }).ms ?? []).map(times).join(', ')],
    ['while they joined', (row) => usageOf((row['join'] as { usage: unknown }).usage)],
    ['updates per page and s', member('updatesPerPageAndS')],
    ['kB/s', member('kbPerS')],
    ['to the screen, p50 / p99 ms', timesOf('toScreenMs')],
    ...counted,
    usage,
  ],
  stalled: [
    ['pages', member('pages')],
    ['stalled', member('stalled')],
    ['cut off', member('cutOff')],
    ['after s', member('afterS')],
    ['to the screen, p50 / p99 ms', timesOf('toScreenMs')],
    ...counted,
    usage,
  ],
  'viewer-killed': [
    ['pages', member('pages')],
    ['cut off', member('cutOff')],
    ['all back after s', member('allBackAfterS')],
    ...counted,
    usage,
  ],
  soak: [
    ['votes/s', member('rate')],
    ['minutes', member('minutes')],
    ['pages', member('pages')],
    answers,
    ...counted,
    [
      'memory: first, last MB, MB/h in the second half',
      (row) =>
        (row['memory'] as readonly { part: string; firstMb: number; lastMb: number; mbPerHourInSecondHalf: number }[])
          .map((one) => `${one.part} ${one.firstMb}, ${one.lastMb}, ${text(one.mbPerHourInSecondHalf)}`)
          .join('; '),
    ],
    usage,
  ],
}

/** A Markdown table for each scenario. */
export function reportOf(rows: readonly Row[]): string {
  const tables = [...Map.groupBy(rows, ({ scenario }) => scenario)].map(([scenario, own]) => {
    const all: readonly Column[] = [
      ['log', member('log')],
      ['tallies', member('tallies')],
      ['valid', member('valid')],
      ...columns[scenario]!,
    ]
    const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
    const head = [line(all.map(([title]) => title)), line(all.map(() => '---'))]
    return `\n${scenario}\n\n${[...head, ...own.map((row) => line(all.map(([, of]) => of(row))))].join('\n')}\n`
  })
  return tables.join('')
}
