const shownMax = 3

/** What differs between counts that were written and those that should have been; null: nothing. */
export function compareCounts(
  expected: ReadonlyMap<string, number>,
  found: ReadonlyMap<string, number>,
): string | null {
  const differences: string[] = []
  for (const [key, count] of expected) {
    const other = found.get(key)
    if (other !== count) differences.push(`${key}: ${other ?? 'missing'} instead of ${count}`)
  }
  for (const key of found.keys()) if (!expected.has(key)) differences.push(`${key}: not expected`)
  if (differences.length === 0) return null
  return `${differences.length} of ${expected.size} keys differ: ${differences.slice(0, shownMax).join('; ')}`
}
