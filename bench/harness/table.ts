/** What a line of JSON holds. */
type Cell = string | number | boolean | null
export interface AnyRow {
  readonly contestant: string
  readonly valid: boolean
}

/** Java Kafka Streams is what all others are compared with. */
const reference = 'kafka-streams'

/**
 * The rounds of one case as one line, with medians; and beside each figure how many times that of Java Kafka Streams it is, in
 * the same case of the same run. As Markdown, for docs/benchmarks.md.
 */
export function table<Row extends AnyRow>(
  rows: readonly Row[],
  columns: { readonly case: readonly (keyof Row & string)[]; readonly measured: readonly (keyof Row & string)[] },
): string {
  const { case: named, measured } = columns
  const caseOf = (row: Row): string => JSON.stringify(named.map((name) => row[name]))
  const lines = [
    `| contestant | ${named.join(' | ')} | valid | ${measured.join(' | ')} |`,
    `|---|${named.map(() => '---|').join('')}---|${measured.map(() => '---|').join('')}`,
  ]
  for (const own of Map.groupBy(rows, (row) => `${row.contestant} ${caseOf(row)}`).values()) {
    const first = own[0]!
    const valid = own.filter((row) => row.valid)
    const others = rows.filter((row) => row.contestant === reference && row.valid && isSameCase(row, first, named))
    const cells = measured.map((name) => {
      const value = median(valid.map((row) => row[name] as Cell))
      if (value === null) return '–'
      const other = first.contestant === reference ? null : median(others.map((row) => row[name] as Cell))
      const ratio = other === null || other === 0 ? '' : ` (${(value / other).toFixed(2)} x)`
      return `${value.toLocaleString('en-US', { maximumFractionDigits: value < 100 ? 2 : 0 })}${ratio}`
    })
    const verdict = valid.length === own.length ? 'yes' : `${valid.length} of ${own.length}`
    lines.push(
      `| ${[first.contestant, ...named.map((name) => shown(first[name] as Cell)), verdict, ...cells].join(' | ')} |`,
    )
  }
  return lines.join('\n')
}

/** Settings and numbers of records are a contestant's own. */
const ownColumns: ReadonlySet<string> = new Set(['settings', 'records'])

const isSameCase = <Row>(a: Row, b: Row, named: readonly (keyof Row & string)[]): boolean =>
  named.every((name) => ownColumns.has(name) || a[name] === b[name])

const shown = (cell: Cell): string => (typeof cell === 'number' ? cell.toLocaleString('en-US') : String(cell))

function median(values: readonly Cell[]): number | null {
  const known = values.filter((value) => typeof value === 'number').sort((a, b) => a - b)
  const [low, high] = [known[(known.length - 1) >> 1], known[known.length >> 1]]
  return low === undefined || high === undefined ? null : (low + high) / 2
}
