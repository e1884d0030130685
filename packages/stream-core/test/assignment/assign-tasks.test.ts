import fc from 'fast-check'
import { expect, test } from 'vitest'
import { assignTasks, type Candidate, type TaskPlacement, type TaskToPlace } from '../../src/assignment/assign-tasks.ts'
import { handOver } from '../../src/assignment/cooperative.ts'
import { decodeTasks, encodeTasks } from '../../src/assignment/task-ranges.ts'
import { decodeAssignment, decodeReport, encodeAssignment, encodeReport } from '../../src/assignment/user-data.ts'

const options = { standbyReplicas: 1, acceptableLag: 100, warmupReplicas: 2 }
const task = (id: string, isStateful = true, endOffsets = 1000): TaskToPlace => ({ id, isStateful, endOffsets })
const fresh = (name: string): Candidate => ({
  memberId: `m-${name}`,
  processId: name,
  host: null,
  active: [],
  standby: [],
  offsets: new Map(),
})

const tasksOf = fc
  .array(fc.record({ group: fc.nat({ max: 2 }), width: fc.integer({ min: 1, max: 6 }), isStateful: fc.boolean() }), {
    minLength: 1,
    maxLength: 3,
  })
  .map((groups) =>
    groups.flatMap(({ width, isStateful }, group) =>
      Array.from({ length: width }, (_, partition) => task(`${group}_${partition}`, isStateful)),
    ),
  )
const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 1, maxLength: 5 })

/** What the members are after they have done what they were told, all of it, copies complete. */
function settled(tasks: readonly TaskToPlace[], members: readonly string[], before: readonly Candidate[]): Candidate[] {
  let candidates = members.map((name) => before.find(({ processId }) => processId === name) ?? fresh(name))
  for (let round = 0; round < 40; round++) {
    const placement = assignTasks(tasks, candidates, options)
    const next = candidates.map((candidate) => {
      const { active, standby } = placement.get(candidate.memberId)!
      const offsets = new Map(
        tasks
          .filter(({ id, isStateful }) => isStateful && [...active, ...standby].includes(id))
          .map(({ id, endOffsets }) => [id, endOffsets]),
      )
      return { ...candidate, active, standby, offsets }
    })
    if (JSON.stringify(shape(next)) === JSON.stringify(shape(candidates))) return next
    candidates = next
  }
  throw new Error('the assignment never comes to rest')
}

const shape = (candidates: readonly Candidate[]): unknown =>
  candidates.map(({ processId, active, standby }) => [processId, [...active].sort(), [...standby].sort()])

const spread = (numbers: readonly number[]): number => Math.max(...numbers) - Math.min(...numbers)

test('every task runs once, balanced, with standbys on other processes, once all is at rest', () => {
  fc.assert(
    fc.property(tasksOf, names, (tasks, members) => {
      const result = settled(tasks, members, [])
      expect(result.flatMap(({ active }) => active).sort()).toEqual(tasks.map(({ id }) => id).sort())
      const stateful = new Set(tasks.filter(({ isStateful }) => isStateful).map(({ id }) => id))
      expect(spread(result.map(({ active }) => active.length))).toBeLessThanOrEqual(1)
      expect(spread(result.map(({ active }) => active.filter((id) => stateful.has(id)).length))).toBeLessThanOrEqual(1)
      for (const { active, standby } of result) {
        for (const id of standby) expect(active).not.toContain(id)
        expect(new Set(standby).size).toBe(standby.length)
      }
      const replicas = Math.min(options.standbyReplicas, members.length - 1)
      for (const id of stateful) expect(result.filter(({ standby }) => standby.includes(id))).toHaveLength(replicas)
    }),
  )
})

// Tasks without state may change places, for the sake of balance: that costs nothing.
test('when an instance comes, state moves to it only, and no more than its share; when one goes, only its state moves', () => {
  fc.assert(
    fc.property(tasksOf, names, (tasks, members) => {
      fc.pre(members.length > 1)
      const [last, ...rest] = members as [string, ...string[]]
      const before = settled(tasks, rest, [])
      const joined = settled(tasks, members, before)
      const ownerIn = (candidates: readonly Candidate[], id: string): string =>
        candidates.find(({ active }) => active.includes(id))!.processId
      const stateful = tasks.filter(({ isStateful }) => isStateful)
      const moved = stateful.filter(({ id }) => ownerIn(before, id) !== ownerIn(joined, id))
      for (const { id } of moved) expect(ownerIn(joined, id)).toBe(last)
      expect(moved.length).toBeLessThanOrEqual(Math.ceil(stateful.length / members.length))
      const left = settled(
        tasks,
        rest,
        joined.filter(({ processId }) => processId !== last),
      )
      for (const { id } of stateful) {
        if (ownerIn(joined, id) !== last) expect(ownerIn(left, id)).toBe(ownerIn(joined, id))
      }
    }),
  )
})

test('at no moment does a task with state wait for a restore while a complete copy is somewhere', () => {
  fc.assert(
    fc.property(tasksOf, names, (tasks, members) => {
      fc.pre(members.length > 1)
      const before = settled(tasks, members.slice(1), [])
      const candidates = [...before, fresh(members[0]!)]
      const placement = assignTasks(tasks, candidates, options)
      for (const { id, isStateful } of tasks) {
        if (!isStateful) continue
        const owner = candidates.find(({ memberId }) => placement.get(memberId)!.active.includes(id))!
        expect(owner.offsets.get(id)).toBe(1000)
      }
    }),
  )
})

test('a task with little state moves at once, one with much is copied first, two at a time', () => {
  const tasks = Array.from({ length: 8 }, (_, i) => task(`0_${i}`, true, i < 4 ? 10 : 100_000))
  const owner: Candidate = {
    ...fresh('a'),
    active: tasks.map(({ id }) => id),
    offsets: new Map(tasks.map((t) => [t.id, t.endOffsets])),
  }
  const placement = assignTasks(tasks, [owner, fresh('b')], { ...options, standbyReplicas: 0 })
  const { active, warmups } = placement.get('m-b') as TaskPlacement
  expect(active.length + warmups.length).toBe(4)
  expect(active.every((id) => Number(id.slice(2)) < 4)).toBe(true)
  expect(warmups.length).toBeLessThanOrEqual(2)
})

test('a standby takes over when its task’s owner is gone, whoever else is there', () => {
  const tasks = [task('0_0', true, 100_000), task('0_1', true, 100_000)]
  const b: Candidate = {
    ...fresh('b'),
    active: ['0_1'],
    standby: ['0_0'],
    offsets: new Map([
      ['0_0', 99_990],
      ['0_1', 100_000],
    ]),
  }
  const placement = assignTasks(tasks, [fresh('a'), b], options)
  expect(placement.get('m-b')!.active.sort()).toEqual(['0_0', '0_1'])
  expect(placement.get('m-a')!.warmups).toHaveLength(1)
})

test('a task that another still runs is given to nobody, and of two owners the later one counts', () => {
  const targets = new Map([
    ['a', ['0_0']],
    ['b', ['0_1', '0_2']],
  ])
  const given = handOver(targets, [
    { memberId: 'a', active: ['0_0', '0_1', '0_2'], generationId: 4 },
    { memberId: 'b', active: ['0_2'], generationId: 5 },
  ])
  expect(given).toEqual(
    new Map([
      ['a', ['0_0']],
      ['b', ['0_2']],
    ]),
  )
})

test('what instances tell each other comes back as it was', () => {
  const ids = ['0_0', '0_1', '0_2', '0_5', '2_1', '10_0', '10_12']
  expect(encodeTasks(ids)).toBe('0:0-2,5;2:1;10:0,12')
  expect(decodeTasks(encodeTasks(ids))).toEqual(ids)
  expect(decodeTasks(encodeTasks([]))).toEqual([])
  const report = {
    processId: 'p',
    endpoint: 'host:1',
    host: null,
    topologyHash: 'h',
    active: ids,
    standby: [],
    offsets: new Map([['0_0', 5]]),
    shutdown: null,
  }
  expect(decodeReport(encodeReport(report))).toEqual(report)
  const assignment = {
    active: ids,
    standby: ['3_0'],
    warmups: ['3_0'],
    leaving: ['4_0'],
    placements: [{ processId: 'p', endpoint: null, active: ids, standby: [] }],
    shutdown: null,
  }
  expect(decodeAssignment(encodeAssignment(assignment))).toEqual(assignment)
  expect(decodeReport(encodeReport({ ...report, shutdown: 'broken' }))).toMatchObject({ shutdown: 'broken' })
  expect(decodeAssignment(encodeAssignment({ ...assignment, shutdown: 'broken' }))).toMatchObject({
    shutdown: 'broken',
  })
  expect(decodeReport(Buffer.from('something else'))).toBeNull()
  expect(decodeAssignment(Buffer.from('{"v":99}'))).toBeNull()
})

test('no standby is put on the host that runs the task; with one host there is none, and processes without a host are by themselves', () => {
  const tasks = ['0_0', '0_1', '0_2', '0_3'].map((id) => task(id))
  const on = (name: string, host: string | null): Candidate => ({ ...fresh(name), host })
  const hosts = { a0: 'a', a1: 'a', b0: 'b', b1: 'b' }
  const two = assignTasks(
    tasks,
    Object.entries(hosts).map(([name, host]) => on(name, host)),
    options,
  )
  const hostOf = (memberId: string): string => hosts[memberId.slice(2) as keyof typeof hosts]
  for (const { id } of tasks) {
    const owner = [...two].find(([, { active }]) => active.includes(id))![0]
    const copies = [...two].filter(([, { standby }]) => standby.includes(id)).map(([memberId]) => hostOf(memberId))
    expect(copies).toEqual([hostOf(owner) === 'a' ? 'b' : 'a'])
  }
  const standbys = (placed: ReadonlyMap<string, TaskPlacement>): number =>
    [...placed.values()].reduce((sum, { standby }) => sum + standby.length, 0)
  expect(standbys(assignTasks(tasks, [on('a0', 'a'), on('a1', 'a')], options))).toBe(0)
  expect(standbys(assignTasks(tasks, [on('a0', null), on('a1', null)], options))).toBe(4)
})
