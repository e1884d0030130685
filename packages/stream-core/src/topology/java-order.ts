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

/**
 * A java.util.TreeSet whose comparator changes while it is filled, as the one behind `describe()` does: elements stay
 * where the comparator of their time put them.
 */
export class GrowingOrderedSet {
  readonly #compare: (a: string, b: string) => number
  #root: TreeNode | null = null

  constructor(compare: (a: string, b: string) => number) {
    this.#compare = compare
  }

  add(name: string): void {
    const added: TreeNode = { name, below: null, above: null }
    if (this.#root === null) {
      this.#root = added
      return
    }
    let node = this.#root
    for (;;) {
      const order = this.#compare(name, node.name)
      if (order === 0) return
      const side = order < 0 ? 'below' : 'above'
      const next = node[side]
      if (next === null) {
        node[side] = added
        return
      }
      node = next
    }
  }

  values(): readonly string[] {
    const names: string[] = []
    const walk = (node: TreeNode | null): void => {
      if (node === null) return
      walk(node.below)
      names.push(node.name)
      walk(node.above)
    }
    walk(this.#root)
    return names
  }
}

interface TreeNode {
  readonly name: string
  below: TreeNode | null
  above: TreeNode | null
}
