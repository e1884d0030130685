/** The order in which java.util.HashMap and HashSet iterate over strings; it shows in `describe()`. */
export function javaHashOrder(keys: readonly string[]): readonly string[] {
  const unique = [...new Set(keys)]
  let capacity = 16
  while (unique.length > capacity * 0.75) capacity *= 2
  // Within a bucket, insertion order: the sort is stable.
  return unique
    .map((key) => ({ key, bucket: spreadHash(key) & (capacity - 1) }))
    .sort((a, b) => a.bucket - b.bucket)
    .map(({ key }) => key)
}

function spreadHash(text: string): number {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
  return hash ^ (hash >>> 16)
}
