/** Who runs a task now, and since which generation. */
export interface Ownership {
  readonly memberId: string
  readonly active: readonly string[]
  readonly generationId: number
}

/**
 * Cooperative hand-over (KIP-429): a task that another live member still runs is given to nobody yet. Its owner sees that
 * it is not in its assignment, commits, lets go and joins again; then the task is free. Where two claim a task, the one
 * of the later generation has it. Returns, by member, what it may run now.
 */
export function handOver(
  targets: ReadonlyMap<string, readonly string[]>,
  ownerships: readonly Ownership[],
): ReadonlyMap<string, readonly string[]> {
  const owners = new Map<string, Ownership>()
  for (const ownership of ownerships) {
    for (const task of ownership.active) {
      const known = owners.get(task)
      if (known === undefined || ownership.generationId > known.generationId) owners.set(task, ownership)
    }
  }
  return new Map(
    [...targets].map(([memberId, tasks]) => [
      memberId,
      tasks.filter((task) => (owners.get(task)?.memberId ?? memberId) === memberId),
    ]),
  )
}
