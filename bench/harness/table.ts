import type { Row } from './row.ts'

const measured = [
  'records_per_s',
  'steady_records_per_s',
  'records_per_cpu_s',
  'steady_records_per_cpu_s',
  'startup_s',
  'peak_rss_mb',
] as const satisfies readonly (keyof Row)[]

/**
 * The rounds of a contestant as one line each, with medians; and beside each rate how many times that of Java Kafka Streams
 * it is, in the same run. As Markdown, for docs/benchmarks.md.
 */
export function table(rows: readonly Row[], reference = 'kafka-streams'): string {
  const groups = Map.groupBy(rows, ({ contestant, guarantee, settings }) => `${contestant}\n${guarantee}\n${settings}`)
  const lines = [
    `| contestant | guarantee | settings | records | valid | ${measured.join(' | ')} |`,
    `|---|---|---|---:|---|${measured.map(() => '---|').join('')}`,
  ]
  for (const own of groups.values()) {
    const { contestant, guarantee, settings, records } = own[0]!
    const others = rows.filter((row) => row.contestant === reference && row.guarantee === guarantee && row.valid)
    const valid = own.filter((row) => row.valid)
    const cells = measured.map((name) => {
      const value = median(valid.map((row) => row[name]))
      if (value === null) return '–'
      const other = contestant === reference ? null : median(others.map((row) => row[name]))
      const ratio = other === null || other === 0 ? '' : ` (${(value / other).toFixed(2)} x)`
      return `${value.toLocaleString('en-US')}${ratio}`
    })
    const verdict = valid.length === own.length ? 'yes' : `${valid.length} of ${own.length}`
    lines.push(
      `| ${contestant} | ${guarantee} | ${settings} | ${records.toLocaleString('en-US')} | ${verdict} | ${cells.join(' | ')} |`,
    )
  }
  return lines.join('\n')
}

function median(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null).sort((a, b) => a - b)
  if (known.length === 0) return null
  return known[known.length >> 1]!
}
