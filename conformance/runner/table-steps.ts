import { untilTimeLimit, untilWindowCloses } from 'stream-core'
import {
  handle,
  type HandleTypes,
  type Join,
  type Operation,
  type Operations,
  otherOf,
  streamHandle,
  tableHandle,
} from './dsl-handles.ts'
import {
  checkFields,
  flag,
  FormatError,
  given,
  object,
  oneOf,
  type Raw,
  required,
  text,
  texts,
  whole,
} from './format.ts'
import { longMax } from './values.ts'
import { exact, limit } from './long-limits.ts'
import { keylessJoinerOf, predicateOf, selectorOf, valueMapperOf } from './functions-of-step.ts'
import { foreignKey, groupSelector } from './functions.ts'
import { grouped, materialized, nameOf, tableJoined } from './options.ts'
import { valueTransformerSupplier } from './processors.ts'
import { ownStores } from './store-specs.ts'

type Table = HandleTypes['table']

const kept = (step: Raw) => ({ ...nameOf(step), ...materialized(step) })

/** The operations of a table (format §4). */
export const tableSteps: Operations<Table> = {
  filter: {
    fields: ['predicate', 'named', 'materialized'],
    apply: (table, step) => tableHandle(table.filter(predicateOf(step), kept(step))),
  },
  filterNot: {
    fields: ['predicate', 'named', 'materialized'],
    apply: (table, step) => tableHandle(table.filterNot(predicateOf(step), kept(step))),
  },
  mapValues: {
    fields: ['mapper', 'named', 'materialized'],
    apply: (table, step) => tableHandle(table.mapValues(valueMapperOf(step), kept(step))),
  },
  transformValues: {
    fields: ['transformer', 'named', 'materialized', 'stores', 'ownStores'],
    apply(table, step) {
      // Java does not ask the supplier of a table's transformer for its stores: they need only be well-formed.
      ownStores(step)
      const stores = texts(step, 'stores') ?? []
      return tableHandle(table.transformValues(valueTransformerSupplier(step), { ...kept(step), stores }))
    },
  },
  toStream: {
    fields: ['selector', 'named'],
    apply(table, step) {
      const isKeyed = text(step, 'selector') !== undefined
      return streamHandle(isKeyed ? table.toStream(selectorOf(step), nameOf(step)) : table.toStream(nameOf(step)))
    },
  },
  suppress: {
    fields: ['suppressed'],
    apply: (table, step) => tableHandle(table.suppress(suppressed(required(object, step, 'suppressed')))),
  },
  groupBy: {
    fields: ['selector', 'grouped'],
    apply: (table, step) =>
      handle('groupedTable', table.groupBy(groupSelector(required(text, step, 'selector')), grouped(step))),
  },
  join: joinStep('join'),
  leftJoin: joinStep('leftJoin'),
  outerJoin: joinStep('outerJoin'),
}

function joinStep(op: 'join' | 'leftJoin' | 'outerJoin'): Operation<Table> {
  const foreign = op === 'outerJoin' ? [] : ['foreignKey', 'tableJoined']
  return {
    fields: ['other', 'joiner', 'named', 'materialized', ...foreign],
    apply(table, step, build) {
      const right = otherOf(build, step, 'table')
      const join = (table[op] as Join).bind(table)
      const joiner = keylessJoinerOf(step)
      const extractor = text(step, 'foreignKey')
      if (extractor === undefined || op === 'outerJoin') {
        if (object(step, 'tableJoined')) throw new FormatError('"tableJoined" is for joins with a foreign key')
        return tableHandle(join(right, joiner, kept(step)))
      }
      const options = { foreignKey: foreignKey(extractor), ...tableJoined(step), ...materialized(step) }
      return tableHandle(join(right, joiner, options))
    },
  }
}

function suppressed(raw: Raw) {
  checkFields(raw, '"suppressed"', ['type', 'limitMs', 'buffer', 'name'])
  const type = required((it, field) => oneOf(it, field, ['untilTimeLimit', 'untilWindowCloses']), raw, 'type')
  const buffer = object(raw, 'buffer') ?? {}
  checkFields(buffer, '"buffer"', ['maxRecords', 'maxBytes', 'whenFull', 'logging'])
  const [maxRecords, maxBytes] = [whole(buffer, 'maxRecords'), whole(buffer, 'maxBytes')]
  const whenFull = oneOf(buffer, 'whenFull', ['emitEarly', 'shutDown']) === 'shutDown' ? 'shut-down' : 'emit-early'
  const logging = flag(buffer, 'logging') === false ? (false as const) : undefined
  const limits = given({ maxRecords, maxBytes, logging })
  const name = given({ name: text(raw, 'name') })
  if (type === 'untilWindowCloses') return untilWindowCloses({ ...name, buffer: limits })
  // Java looks at no limit: one below 0 is over at once; the largest long never is, nor the least, by overflow.
  const limitMs = required(limit, raw, 'limitMs')
  const waitMs = exact(limitMs) <= -longMax ? Infinity : limitMs
  return { ...untilTimeLimit(0, { ...name, buffer: { ...limits, whenFull } }), waitMs }
}
