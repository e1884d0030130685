import type { Candidate } from './assign-tasks.ts'

/** Who has been given what so far, and who may get more: nobody gets two more than another. */
export class LoadTable {
  readonly #members: readonly Candidate[]
  readonly #owners = new Map<string, Candidate>()
  readonly #loads = new Map<Candidate, number>()
  readonly #ofGroup = new Map<string, number>()
  #floor = 0
  /** How many members may have one more than `floor`. */
  #extras = 0

  constructor(members: readonly Candidate[]) {
    this.#members = members
    for (const member of members) this.#loads.set(member, 0)
  }

  /** So many tasks more are to be placed. */
  open(count: number): void {
    const total = this.#owners.size + count
    this.#floor = Math.floor(total / this.#members.length)
    this.#extras = total % this.#members.length
    for (const load of this.#loads.values()) if (load > this.#floor) this.#extras--
  }

  hasRoom(member: Candidate): boolean {
    const load = this.load(member)
    return load < this.#floor || (load === this.#floor && this.#extras > 0)
  }

  place(taskId: string, member: Candidate): void {
    const load = this.load(member)
    if (load >= this.#floor) this.#extras--
    this.#loads.set(member, load + 1)
    this.#owners.set(taskId, member)
    const key = this.#groupKey(member, taskId)
    this.#ofGroup.set(key, (this.#ofGroup.get(key) ?? 0) + 1)
  }

  load(member: Candidate): number {
    return this.#loads.get(member)!
  }

  /** How many tasks of the same sub-topology it has: they cost about the same. */
  loadOfGroup(member: Candidate, taskId: string): number {
    return this.#ofGroup.get(this.#groupKey(member, taskId)) ?? 0
  }

  ownerOf(taskId: string): Candidate | undefined {
    return this.#owners.get(taskId)
  }

  #groupKey(member: Candidate, taskId: string): string {
    return `${taskId.slice(0, taskId.indexOf('_'))} ${member.memberId}`
  }
}
