/**
 * The metrics of several threads as one text, each value with the thread it is of. Names come once, with the values of all
 * threads behind them, as Prometheus' text format wants it.
 */
export function labelMetrics(texts: ReadonlyMap<number, string>): string {
  const heads = new Map<string, string>()
  const values = new Map<string, string>()
  for (const [thread, text] of texts) {
    let name = ''
    for (const line of text.split('\n')) {
      if (line === '') continue
      if (line.startsWith('# ')) {
        name = line.split(' ', 3)[2]!
        if (line.startsWith('# HELP')) heads.set(name, line)
        else if (!heads.get(name)!.includes('\n')) heads.set(name, `${heads.get(name)!}\n${line}`)
        continue
      }
      values.set(name, `${values.get(name) ?? ''}${labelled(line, thread)}\n`)
    }
  }
  return [...heads].map(([name, head]) => `${head}\n${values.get(name) ?? ''}`).join('')
}

/** `name{a="b"} 1` or `name 1`; the name has no space and no brace. */
function labelled(line: string, thread: number): string {
  const end = line.search(/[{ ]/)
  const rest = line[end] === '{' ? `,${line.slice(end + 1)}` : `}${line.slice(end)}`
  return `${line.slice(0, end)}{thread="${thread}"${rest}`
}
