import { ArgumentError } from '../common/errors.ts'
import { state } from './build-context.ts'

/** What a join can be given wrongly: the compiler quotes these sentences, and a program without one gets them as errors. */
export const joinMistakes = {
  withoutWindows:
    'a join of two streams needs windows in its options: { windows: joinWindows({ difference: { minutes: 5 } }) }',
  withoutMapKey: 'a join with a global table needs options that make its key: { mapKey: (key, value) => ... }',
  noStream: 'an outer join of a stream takes another stream: use leftJoin() with a table',
  otherKeys:
    'both sides of a join need keys of one type: change one with selectKey(), or read the table with globalTable() and join by mapKey',
  otherTableKeys:
    'these tables have keys of different types: say in the options which row belongs to which, { foreignKey: (key, value) => ... }',
  otherTableKeysOuter:
    'an outer join needs tables with keys of one type: give one of them another key with groupBy(), or leftJoin() by foreignKey',
  streamInTableJoin: 'a table is joined with tables: make the stream one with toTable(), or call join() on the stream',
  globalInTableJoin:
    'a table cannot be joined with a global table: read that topic with table() and join by foreignKey, or join toStream() with it',
} as const

export type JoinMistakes = typeof joinMistakes

type Side = 'stream' | 'table' | 'global table'

/** Throws an ArgumentError for what the compiler would have refused; what is right is returned as what it is. */
export function checkedStreamJoin(isOuter: boolean, other: unknown, joiner: unknown, options: object): Side {
  const side = sideOf(other)
  if (isOuter && side !== 'stream') throw new ArgumentError('other', joinMistakes.noStream)
  checkJoiner(joiner)
  const { windows, mapKey } = options as { windows?: { kind?: unknown }; mapKey?: unknown }
  if (side === 'stream' && windows?.kind !== 'join') throw new ArgumentError('windows', joinMistakes.withoutWindows)
  if (side === 'global table' && typeof mapKey !== 'function') {
    throw new ArgumentError('mapKey', joinMistakes.withoutMapKey)
  }
  return side
}

/** As `checkedStreamJoin`, for joins of tables: returns what brings their rows together. */
export function checkedTableJoin(
  isOuter: boolean,
  table: unknown,
  joiner: unknown,
  options: object,
): 'key' | 'foreign key' {
  const side = sideOf(table)
  if (side === 'stream') throw new ArgumentError('table', joinMistakes.streamInTableJoin)
  if (side === 'global table') throw new ArgumentError('table', joinMistakes.globalInTableJoin)
  checkJoiner(joiner)
  const { foreignKey } = options as { foreignKey?: unknown }
  if (foreignKey === undefined) return 'key'
  if (isOuter) throw new ArgumentError('foreignKey', 'there is no outer join by foreignKey: use leftJoin()')
  if (typeof foreignKey === 'function') return 'foreign key'
  throw new ArgumentError(
    'foreignKey',
    `foreignKey must be a function, (key, value) => the key of a row of the other table; got ${describe(foreignKey)}`,
  )
}

function sideOf(other: unknown): Side {
  if (typeof other === 'object' && other !== null) {
    if (state in other) return 'source' in other ? 'table' : 'stream'
    if ('valueGetter' in other) return 'global table'
  }
  throw new ArgumentError('other', `a join takes a stream, a table or a global table, got ${describe(other)}`)
}

function checkJoiner(joiner: unknown): void {
  if (typeof joiner === 'function') return
  throw new ArgumentError(
    'joiner',
    `the second argument of a join makes the result, (left, right, key) => ...; got ${describe(joiner)}`,
  )
}

const describe = (given: unknown): string => (typeof given === 'string' ? JSON.stringify(given) : typeof given)
