import { ArgumentError } from '../common/errors.ts'
import type { Serde } from '../common/serde.ts'
import { shown } from '../common/shown.ts'
import { queryKinds } from '../queries/open-read-only.ts'
import type { InputBound, StoreQuery } from '../queries/store-query.ts'
import type { StoreSpec } from '../state/store-spec.ts'

const options = ['kind', 'key', 'value', 'isolation', 'allowStale', 'partitions', 'partitioner', 'atLeast']

/** Throws an ArgumentError for a query that does not fit its store. */
export function checkQuery(spec: StoreSpec, query: StoreQuery<never, never>): void {
  const { name } = spec
  const kinds = queryKinds(spec)
  if (kinds.length === 0) {
    throw new ArgumentError(
      'name',
      `the store "${name}" cannot be read: a ${spec.kind} store has no keys and values to show`,
    )
  }
  const { kind, key, value, isolation, allowStale, partitions, partitioner, atLeast } = query ?? {}
  if (!kinds.includes(kind)) {
    const those = kinds.map((one) => `'${one}'`).join(' or ')
    throw new ArgumentError('kind', `the store "${name}" is read with kind: ${those}; got ${shown(kind)}`)
  }
  for (const option of Object.keys(query)) {
    if (options.includes(option)) continue
    throw new ArgumentError(option, `a query has no option "${option}"; there are ${options.join(', ')}`)
  }
  checkSerde(name, 'key', spec.key, key)
  checkSerde(name, 'value', spec.value, value)
  const check = (option: string, isRight: boolean, what: string, got: unknown): void => {
    if (!isRight) throw new ArgumentError(option, `${option} must be ${what}; got ${shown(got)}`)
  }
  const isolations: readonly unknown[] = [undefined, 'read_committed', 'read_uncommitted']
  check('isolation', isolations.includes(isolation), "'read_committed' or 'read_uncommitted'", isolation)
  const isLag =
    typeof allowStale === 'object' &&
    allowStale !== null &&
    Number.isSafeInteger(allowStale.maxLag) &&
    allowStale.maxLag >= 0
  const isFlag = allowStale === undefined || typeof allowStale === 'boolean'
  check('allowStale', isFlag || isLag, 'true, false or { maxLag: a whole number }', allowStale)
  check('partitions', partitions === undefined || Array.isArray(partitions), 'a list of numbers', partitions)
  check('atLeast', atLeast === undefined || isBounds(atLeast), 'a list of { topic, partition, offset }', atLeast)
  check('partitioner', partitioner === undefined || typeof partitioner === 'function', 'a function', partitioner)
}

function isBounds(value: unknown): boolean {
  const isWhole = (number: unknown): boolean => Number.isSafeInteger(number) && (number as number) >= 0
  return (
    Array.isArray(value) &&
    value.every((bound: Partial<InputBound> | null) => {
      return typeof bound?.topic === 'string' && isWhole(bound.partition) && isWhole(bound.offset)
    })
  )
}

/** Serdes of equal names write the same bytes; `int64()` and `int64Big()` do, and are of two types. */
function checkSerde(store: string, part: 'key' | 'value', own: Serde<unknown>, given: Serde<never> | undefined): void {
  if (given === undefined || given === own) return
  if (given?.name === own.name && own.name !== 'int64') return
  const such =
    given?.name === own.name ? 'int64() and int64Big() give different types' : `got ${given?.name ?? shown(given)}`
  throw new ArgumentError(part, `the ${part}s of the store "${store}" are written by ${own.name}; ${such}`)
}
