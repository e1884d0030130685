import type { Broker } from '../../src/index.ts'
import { readAll } from '../support/log-records.ts'
import { applicationId, groupOf } from './sim-topology.ts'

const number = (text: string): number => Number(Buffer.from(text, 'latin1').readBigInt64BE())

export interface WrittenRecord {
  readonly key: string
  readonly number: number
}

/**
 * What must hold once all of these is processed; what does not, in words. Where state was lost with its changelog, its results
 * do not follow from what was before.
 */
export async function check(
  broker: Broker,
  events: readonly WrittenRecord[],
  hasLostState: boolean,
): Promise<string[]> {
  const wrong: string[] = []
  // Every record is passed on once.
  const echoed = new Map<number, number>()
  for (const { value } of await readAll(broker, 'echo'))
    echoed.set(number(value!), (echoed.get(number(value!)) ?? 0) + 1)
  for (const event of events) {
    const times = echoed.get(event.number) ?? 0
    if (times !== 1) wrong.push(`record ${event.number} was passed on ${times} times`)
  }

  if (hasLostState) return wrong

  // Each list of a group has all that the one before it had, and more, and nothing twice; the last has all.
  const lists = new Map<string, readonly number[]>()
  for (const { key, value } of await readAll(broker, 'groups')) {
    const list = JSON.parse(value!) as number[]
    const before = lists.get(key!) ?? []
    const isLonger = list.length > before.length && before.every((item, i) => list[i] === item)
    if (!isLonger) wrong.push(`${key} went from [${before.join()}] to [${list.join()}]`)
    if (new Set(list).size !== list.length) wrong.push(`${key} has a record twice: [${list.join()}]`)
    lists.set(key!, list)
  }
  for (const group of new Set(events.map(({ key }) => groupOf(key)))) {
    const expected = events.filter(({ key }) => groupOf(key) === group).map((event) => event.number)
    const found = [...(lists.get(group) ?? [])]
    if (found.sort((a, b) => a - b).join() !== expected.sort((a, b) => a - b).join()) {
      wrong.push(`${group} has ${found.length} of ${expected.length} records`)
    }
  }

  // By key there is one order, so one sequence of results, at every moment a part of this one.
  const results = new Map<string, (number | null)[]>()
  for (const { key, value } of await readAll(broker, 'lasts')) {
    results.set(key!, [...(results.get(key!) ?? []), value === null ? null : number(value)])
  }
  const latest = new Map<string, number>()
  for (const key of new Set(events.map((event) => event.key))) {
    const expected: (number | null)[] = []
    for (const event of events.filter((each) => each.key === key)) {
      const value = event.number % 3 === 2 ? null : event.number
      if (value === null) latest.delete(key)
      else latest.set(key, value)
      expected.push(value)
    }
    const found = results.get(key) ?? []
    if (found.join() !== expected.join()) wrong.push(`${key}: expected [${expected.join()}], found [${found.join()}]`)
  }

  // The changelogs say what the results say.
  const logged = async (store: string): Promise<Map<string, string>> => {
    const table = new Map<string, string>()
    for (const { key, value } of await readAll(broker, `${applicationId}-${store}-changelog`)) {
      if (value === null) table.delete(key!)
      else table.set(key!, value)
    }
    return table
  }
  for (const [key, value] of await logged('groups')) {
    if (value !== JSON.stringify(lists.get(key))) wrong.push(`the changelog has ${value} for ${key}`)
  }
  const inLog = new Map([...(await logged('lasts'))].map(([key, value]) => [key, number(value)]))
  for (const key of new Set([...inLog.keys(), ...latest.keys()])) {
    if (inLog.get(key) !== latest.get(key))
      wrong.push(`the changelog has ${inLog.get(key)} for ${key}, not ${latest.get(key)}`)
  }
  return wrong
}
