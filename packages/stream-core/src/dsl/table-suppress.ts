import { ArgumentError, TopologyError } from '../common/errors.ts'
import { suppress } from '../operators/suppress.ts'
import { suppressedGetter } from '../operators/value-getter.ts'
import type { ProcessorSupplier } from '../processor/processor.ts'
import type { StoreSpec } from '../state/store-spec.ts'
import { requiredSerde, state } from './build-context.ts'
import { GraphNode } from './graph/graph-node.ts'
import { windowGrace } from './graph/window-grace.ts'
import type { KTable } from './ktable.ts'
import { changelog } from './store-specs.ts'
import type { Suppressed } from './suppressed.ts'
import { TableSource } from './table-source.ts'

/** KTable#suppress: holds changes back, for a time or until their window has closed. */
export function suppressTable<K, V>(table: KTable<K, V>, suppressed: Suppressed): KTable<K, V> {
  const mine = table[state]
  const { context } = mine
  const { names, builder } = context
  if (mine.node.isOutputVersioned === true) {
    throw new TopologyError(`suppress works on tables that are not versioned; "${mine.name}" is`, [mine.name])
  }
  // Java looks at neither the name of a Suppressed nor its limits.
  const { javaRules } = context
  const name = javaRules
    ? (suppressed.name ?? names.node('KTABLE-SUPPRESS'))
    : names.own(suppressed.name, 'KTABLE-SUPPRESS')
  const untilWindowCloses = suppressed.until === 'window-closes'
  const waitMs = untilWindowCloses ? windowGrace(mine.node) : suppressed.waitMs
  const { maxRecords, maxBytes, whenFull = 'emit-early', logging } = suppressed.buffer
  for (const [option, value] of Object.entries({ maxRecords, maxBytes })) {
    if (javaRules || value === undefined || (Number.isSafeInteger(value) && value >= 0)) continue
    throw new ArgumentError(
      option,
      `${option} of the buffer of "${name}" must be a whole number, 0 or more; got ${value}`,
    )
  }
  let storeName = `${name}-store`
  if (suppressed.name === undefined) {
    storeName = names.store('KTABLE-SUPPRESS')
    if (logging !== false) builder.noteGeneratedName({ kind: 'changelog', name: `${storeName}-changelog` })
  }
  // What was emitted last of a key is the buffer's view of it while it waits.
  table.source.sendOldValues(true)
  const node = new GraphNode(name, { kind: 'suppress' }, (to, parents) => {
    const where = `the buffer "${storeName}"`
    const spec: StoreSpec = {
      kind: 'suppressBuffer',
      name: storeName,
      key: requiredSerde(context, mine.key, 'key', where, 'the key serde of the table'),
      value: requiredSerde(context, mine.value, 'value', where, 'the value serde of the table'),
      graceMs: 0,
      caching: false,
      inMemory: true,
      logging: changelog(logging, { 'cleanup.policy': 'compact' }),
    }
    const make = suppress<K, V>({
      storeName,
      waitMs,
      untilWindowCloses,
      maxRecords: maxRecords ?? Number.POSITIVE_INFINITY,
      maxBytes: maxBytes ?? Number.POSITIVE_INFINITY,
      whenFull,
    })
    const supplier = Object.assign(() => make(), { stores: [spec] }) as unknown as ProcessorSupplier<unknown, unknown>
    to.addProcessor({ name, parents, supplier })
  })
  node.isOutputVersioned = false
  context.graph.add(mine.node, node)
  const behaviour = new TableSource<K, V>(
    {
      sendOldValues: (force) => table.source.sendOldValues(force),
      valueGetter: () => suppressedGetter(table.source.valueGetter(), storeName),
    },
    null,
  )
  return context.table<K, V>({ ...mine, name, node, checkedSources: [] }, behaviour)
}
