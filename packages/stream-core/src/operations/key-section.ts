import type { KeyExplanation, KeyFindings, StoreFindings } from './explain-key.ts'
import { type GroupDescription, nameOf } from './group-description.ts'
import { figure, type Part, plain, quiet, type Section, type Table } from './page-parts.ts'
import { count, time } from './phrases.ts'

export function keySection({ keyStores, explained }: GroupDescription): Section {
  const parts: Part[] = []
  if (keyStores.length === 0) {
    parts.push({ kind: 'text', text: 'The topology has no store that could be asked for a key.' })
  } else {
    const { store = keyStores[0]!.name, key = '' } = explained ?? {}
    parts.push({ kind: 'keyForm', stores: keyStores, store, key })
  }
  if (explained !== null) parts.push(...explanationParts(explained))
  return { id: 'key', title: 'Explain a key', parts }
}

function explanationParts(explained: KeyExplanation): readonly Part[] {
  const { store, key, partition, taskId, owner, copies, problem, found } = explained
  const facts: [string, string][] = [
    ['Store', store],
    ['Key', key],
    ...(partition === null ? [] : [['Partition', String(partition)] as [string, string]]),
    ...(taskId === null ? [] : [['Task', taskId] as [string, string]]),
    ...(owner === null ? [] : [['Runs on instance', nameOf(owner)] as [string, string]]),
    ...(copies.length === 0 ? [] : [['Copies on', copies.map(nameOf).join(', ')] as [string, string]]),
    ...(found === null ? [] : [['There it is', found.phase] as [string, string]]),
  ]
  return [
    {
      kind: 'table',
      caption: 'Where the key is',
      head: ['What', ''],
      rows: facts.map(([name, value]) => [quiet(name), plain(value)]),
      empty: '',
    },
    ...(problem === null ? [] : [{ kind: 'text' as const, tone: 'attention' as const, text: problem }]),
    ...(found === null ? [] : findingParts(found)),
  ]
}

function findingParts({ inputs, stores }: KeyFindings): readonly Part[] {
  const values: Table = {
    kind: 'table',
    caption: 'What the stores of the task have under it',
    head: ['Store', 'Window', 'Time', 'Value'],
    rows: stores.flatMap((found) => valueRows(found)),
    empty: 'The task has no stores.',
  }
  const logs: Table = {
    kind: 'table',
    caption: 'How far the state stands for its changelogs',
    head: ['Store', 'Changelog', 'Position'],
    rows: stores.flatMap(({ store, changelog }) =>
      changelog === null
        ? []
        : [
            [
              plain(store),
              plain(`${changelog.topic}-${changelog.partition}`),
              figure(changelog.position === null ? 'nothing yet' : count(changelog.position)),
            ],
          ],
    ),
    empty: 'Its stores have no changelogs.',
  }
  const read: Table = {
    kind: 'table',
    caption: 'How far its inputs are read: what was written behind that is not in the stores yet',
    head: ['Input', 'Position', 'Waiting'],
    rows: inputs.map(({ topic, partition, position, lag }) => [
      plain(`${topic}-${partition}`),
      figure(count(position)),
      figure(count(lag)),
    ]),
    empty: 'A global store is read by every instance itself.',
  }
  return [values, read, logs]
}

function valueRows({ store, entries, hasMore, note }: StoreFindings) {
  if (note !== null) return [[plain(store), quiet(''), quiet(''), quiet(note)]]
  if (entries.length === 0) return [[plain(store), quiet(''), quiet(''), quiet('nothing under this key')]]
  const rows = entries.map(({ window, timestampMs, value }) => [
    plain(store),
    quiet(window === null ? '' : `${time(window.start)} to ${time(window.end)}`),
    quiet(timestampMs === null ? '' : time(timestampMs)),
    value === null ? quiet('there is one; showValues is off') : plain(value),
  ])
  return hasMore ? [...rows, [plain(store), quiet(''), quiet(''), quiet('and older ones')]] : rows
}
