/** Task ids as a short text: `0:0-3,7;2:1` are 0_0 … 0_3, 0_7 and 2_1. */
export function encodeTasks(taskIds: readonly string[]): string {
  const byGroup = new Map<number, number[]>()
  for (const id of taskIds) {
    const [group, partition] = id.split('_').map(Number) as [number, number]
    const list = byGroup.get(group)
    if (list) list.push(partition)
    else byGroup.set(group, [partition])
  }
  return [...byGroup]
    .sort(([a], [b]) => a - b)
    .map(([group, partitions]) => `${group}:${ranges(partitions.sort((a, b) => a - b))}`)
    .join(';')
}

export function decodeTasks(text: string): string[] {
  if (text === '') return []
  return text.split(';').flatMap((part) => {
    const [group, list] = part.split(':') as [string, string]
    return list.split(',').flatMap((range) => {
      const [first, last = first] = range.split('-').map(Number) as [number, number?]
      return Array.from({ length: last - first + 1 }, (_, i) => `${group}_${first + i}`)
    })
  })
}

function ranges(sorted: readonly number[]): string {
  const parts: string[] = []
  for (let i = 0; i < sorted.length;) {
    let end = i
    while (sorted[end + 1] === sorted[end]! + 1) end++
    parts.push(end === i ? `${sorted[i]}` : `${sorted[i]}-${sorted[end]}`)
    i = end + 1
  }
  return parts.join(',')
}
