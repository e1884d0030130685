import { LoadTable } from './load-table.ts'

export interface TaskToPlace {
  readonly id: string
  readonly isStateful: boolean
  /** Sum of the ends of its changelogs. */
  readonly endOffsets: number
}

export interface Candidate {
  readonly memberId: string
  readonly processId: string
  /** What the process goes down with; null: with nobody. */
  readonly host: string | null
  /** Tasks it runs now. */
  readonly active: readonly string[]
  readonly standby: readonly string[]
  /** By task: sum of the changelog offsets its local state stands for. */
  readonly offsets: ReadonlyMap<string, number>
}

export interface PlacementOptions {
  readonly standbyReplicas: number
  /** A copy that is at most this many offsets behind counts as caught up (Kafka Streams' `acceptable.recovery.lag`). */
  readonly acceptableLag: number
  /** How many tasks may be copied to their coming owners at a time, beside standbys. */
  readonly warmupReplicas: number
}

export interface TaskPlacement {
  readonly active: string[]
  readonly standby: string[]
  readonly warmups: string[]
}

/**
 * Decides which instance runs which task (D14). In this order:
 *
 *   1. Balance: the numbers of stateful tasks differ by at most one between instances, and so do those of all tasks.
 *   2. Stay: within that, a task stays where it runs; those leave first of which another instance has a copy.
 *   3. Go where the state is: to the most complete copy, else to the least loaded.
 *   4. Never wait for a restore: a task whose new place has no copy stays where one is until it has, as a warm-up there.
 *   5. Standbys on other hosts than the task's, and so on other processes, where copies are, spread evenly.
 *
 * The same input gives the same result, on whichever instance it is computed.
 */
export function assignTasks(
  tasks: readonly TaskToPlace[],
  candidates: readonly Candidate[],
  options: PlacementOptions,
): ReadonlyMap<string, TaskPlacement> {
  const members = [...candidates].sort((a, b) => compare(a.processId, b.processId) || compare(a.memberId, b.memberId))
  const sorted = [...tasks].sort((a, b) => compareTasks(a.id, b.id))
  const stateful = sorted.filter((task) => task.isStateful)
  const table = new LoadTable(members)
  const result = new Map(members.map(({ memberId }) => [memberId, placementOf()]))

  // 1. to 3.
  balance(stateful, members, table, options)
  balance(
    sorted.filter((task) => !task.isStateful),
    members,
    table,
    options,
  )

  // 4.
  const ready = new Map<string, Candidate>()
  let warmups = options.warmupReplicas
  for (const task of stateful) {
    const target = table.ownerOf(task.id)!
    const keeper = keeperOf(task, target, members, options)
    ready.set(task.id, keeper ?? target)
    if (keeper === null || warmups === 0) continue
    warmups--
    result.get(target.memberId)!.warmups.push(task.id)
    result.get(target.memberId)!.standby.push(task.id)
  }
  for (const task of sorted) {
    const owner = ready.get(task.id) ?? table.ownerOf(task.id)!
    result.get(owner.memberId)!.active.push(task.id)
  }

  // 5.
  placeStandbys(stateful, ready, members, result, options)
  return result
}

function balance(
  tasks: readonly TaskToPlace[],
  members: readonly Candidate[],
  table: LoadTable,
  options: PlacementOptions,
): void {
  table.open(tasks.length)
  const copies = (task: TaskToPlace): number =>
    members.filter((member) => !member.active.includes(task.id) && isCaughtUp(task, member, options)).length
  const ownerNow = new Map(members.flatMap((member) => member.active.map((id) => [id, member] as const)))
  const left: TaskToPlace[] = []
  for (const task of [...tasks].sort((a, b) => copies(a) - copies(b))) {
    const owner = ownerNow.get(task.id)
    if (owner !== undefined && table.hasRoom(owner)) table.place(task.id, owner)
    else left.push(task)
  }
  // Those of which copies are somewhere choose before those that may go anywhere.
  const known = left.filter((task) => task.isStateful && members.some((member) => member.offsets.has(task.id)))
  for (const task of [...known, ...left.filter((other) => !known.includes(other))]) {
    let best: Candidate | null = null
    for (const member of members) {
      if (!table.hasRoom(member)) continue
      if (best === null || isBetter(task, member, best, table, options)) best = member
    }
    table.place(task.id, best!)
  }
}

function isBetter(task: TaskToPlace, a: Candidate, b: Candidate, table: LoadTable, options: PlacementOptions): boolean {
  if (task.isStateful) {
    const lagA = Math.max(lagOf(task, a), options.acceptableLag)
    const lagB = Math.max(lagOf(task, b), options.acceptableLag)
    const hasA = a.offsets.has(task.id)
    if (hasA !== b.offsets.has(task.id)) return hasA
    if (hasA && lagA !== lagB) return lagA < lagB
  }
  const ofGroup = table.loadOfGroup(a, task.id) - table.loadOfGroup(b, task.id)
  // Whoever runs less now: nothing moves between those that were there when another comes.
  return (table.load(a) - table.load(b) || ofGroup || a.active.length - b.active.length) < 0
}

/** Who runs the task until its new owner has caught up; null: the new owner, at once. */
function keeperOf(
  task: TaskToPlace,
  target: Candidate,
  members: readonly Candidate[],
  options: PlacementOptions,
): Candidate | null {
  if (isCaughtUp(task, target, options)) return null
  const owner = members.find((member) => member.active.includes(task.id))
  if (owner !== undefined) return owner === target ? null : owner
  const caughtUp = members.filter((member) => member.offsets.has(task.id) && isCaughtUp(task, member, options))
  return caughtUp.sort((a, b) => lagOf(task, a) - lagOf(task, b))[0] ?? null
}

function placeStandbys(
  tasks: readonly TaskToPlace[],
  owners: ReadonlyMap<string, Candidate>,
  members: readonly Candidate[],
  result: ReadonlyMap<string, TaskPlacement>,
  { standbyReplicas }: PlacementOptions,
): void {
  const most = Math.ceil((tasks.length * standbyReplicas) / members.length)
  for (let replica = 0; replica < standbyReplicas; replica++) {
    for (const task of tasks) {
      const taken = new Set([hostOf(owners.get(task.id)!)])
      for (const member of members) {
        const { standby, warmups } = result.get(member.memberId)!
        if (standby.includes(task.id) && !warmups.includes(task.id)) taken.add(hostOf(member))
      }
      const count = ({ memberId }: Candidate): number => result.get(memberId)!.standby.length
      const load = ({ memberId }: Candidate): number =>
        count({ memberId } as Candidate) + result.get(memberId)!.active.length
      const free = members.filter((member) => !taken.has(hostOf(member)))
      const cost = (member: Candidate): readonly number[] => [
        result.get(member.memberId)!.warmups.includes(task.id) ? 0 : 1,
        member.standby.includes(task.id) && count(member) < most ? 0 : 1,
        member.offsets.has(task.id) && count(member) < most ? lagOf(task, member) : Infinity,
        load(member),
      ]
      const best = free.sort((a, b) => compareCosts(cost(a), cost(b)))[0]
      if (best === undefined) continue
      const placement = result.get(best.memberId)!
      // A copy that is under way for a move is the standby too.
      if (placement.warmups.includes(task.id)) continue
      placement.standby.push(task.id)
    }
  }
}

const hostOf = ({ host, processId }: Candidate): string => host ?? processId

const placementOf = (): TaskPlacement => ({ active: [], standby: [], warmups: [] })

const lagOf = (task: TaskToPlace, member: Candidate): number =>
  member.active.includes(task.id) ? 0 : Math.max(0, task.endOffsets - (member.offsets.get(task.id) ?? 0))

const isCaughtUp = (task: TaskToPlace, member: Candidate, { acceptableLag }: PlacementOptions): boolean =>
  lagOf(task, member) <= acceptableLag

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

export function compareTasks(a: string, b: string): number {
  const [groupA, partitionA] = a.split('_').map(Number) as [number, number]
  const [groupB, partitionB] = b.split('_').map(Number) as [number, number]
  return groupA - groupB || partitionA - partitionB
}

function compareCosts(a: readonly number[], b: readonly number[]): number {
  for (const [i, cost] of a.entries()) if (cost !== b[i]) return cost < b[i]! ? -1 : 1
  return 0
}
