import { StreamsBuilder, type Topology } from 'stream-core'
import { javaRules } from '../../packages/stream-core/src/common/java-rules.ts'
import {
  cogroupedSteps,
  groupedStreamSteps,
  groupedTableSteps,
  sessionWindowedCogroupedSteps,
  sessionWindowedSteps,
  timeWindowedCogroupedSteps,
  timeWindowedSteps,
} from './aggregate-steps.ts'
import { builderSteps } from './builder-steps.ts'
import { type Build, find, type HandleTypes, type Operations } from './dsl-handles.ts'
import type { EffectLog } from './effect-log.ts'
import { checkFields, flag, FormatError, given, oneOf, type Raw, required, type Scenario, text } from './format.ts'
import { serde } from './serdes.ts'
import { streamSteps } from './stream-steps.ts'
import { tableSteps } from './table-steps.ts'
import { timestampExtractor } from './timestamp-extractors.ts'

const operations: { readonly [K in keyof HandleTypes]: Operations<HandleTypes[K]> } = {
  stream: streamSteps,
  table: tableSteps,
  globalTable: {},
  groupedStream: groupedStreamSteps,
  groupedTable: groupedTableSteps,
  timeWindowed: timeWindowedSteps,
  sessionWindowed: sessionWindowedSteps,
  cogrouped: cogroupedSteps,
  timeWindowedCogrouped: timeWindowedCogroupedSteps,
  sessionWindowedCogrouped: sessionWindowedCogroupedSteps,
}

/** Builds a scenario's topology with the DSL. */
export function dslTopology({ config = {}, topology }: Scenario, effects: EffectLog): Topology {
  const build: Build = {
    builder: new StreamsBuilder(builderOptions(config)),
    handles: new Map(),
    effects,
  }
  for (const step of topology) applyStep(step, build)
  // Java notices missing serdes when it starts, and so has the library to.
  return build.builder.build({ missingSerdes: 'keep' })
}

function applyStep(step: Raw, build: Build): void {
  const op = required(text, step, 'op')
  const on = text(step, 'on')
  const receiver = on === undefined ? { kind: 'builder', it: build.builder } : find(build, on)
  const table = (receiver.kind === 'builder'
    ? builderSteps
    : operations[receiver.kind as keyof HandleTypes]) as unknown as Operations<unknown>
  const operation = Object.hasOwn(table, op) ? table[op] : undefined
  if (operation === undefined) throw new FormatError(`unknown op "${op}" of a ${receiver.kind}`)
  checkFields(step, `the step "${op}"`, ['id', 'op', 'on', ...operation.fields])
  const result = operation.apply(receiver.it, step, build)
  const id = text(step, 'id')
  if (id !== undefined && result !== null) build.handles.set(id, result)
}

function builderOptions(config: Raw) {
  const defaults = given({
    key: serde(config, 'defaultKeySerde'),
    value: serde(config, 'defaultValueSerde'),
    timestampExtractor: timestampExtractor(config),
  })
  return {
    [javaRules]: true as const,
    inheritSerdes: false,
    defaults: defaults as { readonly key?: never; readonly value?: never },
    ...given({
      optimization: optimization(config),
      defaultStoreType: oneOf(config, 'dslStore', ['inMemory']) && ('in-memory' as const),
      requireExplicitNames: flag(config, 'requireExplicitNames'),
      processChangesRecords: flag(config, 'processValuesFix'),
    }),
  }
}

const optimizations = ['reuse.ktable.source.topics', 'merge.repartition.topics', 'single.store.self.join'] as const
type Optimization = (typeof optimizations)[number]

function optimization(config: Raw): 'none' | 'all' | Optimization[] | undefined {
  const given = text(config, 'optimization')
  if (given === undefined || given === 'none' || given === 'all') return given
  return given.split(',').map((name) => {
    if (!optimizations.includes(name as Optimization)) throw new FormatError(`unknown optimization "${name}"`)
    return name as Optimization
  })
}
