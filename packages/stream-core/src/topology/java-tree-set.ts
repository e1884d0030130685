interface Node {
  readonly name: string
  parent: Node | null
  left: Node | null
  right: Node | null
  isRed: boolean
}

/**
 * A java.util.TreeSet whose comparator changes while it is filled, as the one behind `describe()` does: elements stay where
 * the comparator of their time put them. It is the same red-black tree, for its rotations decide what a later element is
 * compared with.
 */
export class JavaTreeSet {
  readonly #compare: (a: string, b: string) => number
  #root: Node | null = null

  constructor(compare: (a: string, b: string) => number) {
    this.#compare = compare
  }

  add(name: string): void {
    let parent: Node | null = null
    let order = 0
    for (let at = this.#root; at !== null; at = order < 0 ? at.left : at.right) {
      parent = at
      order = this.#compare(name, at.name)
      if (order === 0) return
    }
    const added: Node = { name, parent, left: null, right: null, isRed: true }
    if (parent === null) this.#root = added
    else if (order < 0) parent.left = added
    else parent.right = added
    this.#rebalance(added)
  }

  values(): readonly string[] {
    const names: string[] = []
    const walk = (node: Node | null): void => {
      if (node === null) return
      walk(node.left)
      names.push(node.name)
      walk(node.right)
    }
    walk(this.#root)
    return names
  }

  /** TreeMap#fixAfterInsertion. */
  #rebalance(added: Node): void {
    let node = added
    while (node.parent?.isRed === true) {
      const { parent } = node
      const grandparent = parent.parent!
      const isLeft = parent === grandparent.left
      const uncle = isLeft ? grandparent.right : grandparent.left
      if (uncle?.isRed === true) {
        parent.isRed = uncle.isRed = false
        grandparent.isRed = true
        node = grandparent
        continue
      }
      if (node === (isLeft ? parent.right : parent.left)) {
        node = parent
        this.#rotate(node, isLeft)
      }
      node.parent!.isRed = false
      node.parent!.parent!.isRed = true
      this.#rotate(node.parent!.parent!, !isLeft)
    }
    this.#root!.isRed = false
  }

  #rotate(node: Node, toLeft: boolean): void {
    const child = (toLeft ? node.right : node.left)!
    const inner = toLeft ? child.left : child.right
    if (toLeft) node.right = inner
    else node.left = inner
    if (inner !== null) inner.parent = node
    child.parent = node.parent
    if (node.parent === null) this.#root = child
    else if (node.parent.left === node) node.parent.left = child
    else node.parent.right = child
    if (toLeft) child.left = node
    else child.right = node
    node.parent = child
  }
}
