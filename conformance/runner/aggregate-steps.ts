import { handle, type HandleTypes, type Operation, type Operations, otherOf, tableHandle } from './dsl-handles.ts'
import { object, oneOf, type Raw, required } from './format.ts'
import { aggregatorOf, initializerOf, mergerOf, reducerOf } from './functions-of-step.ts'
import { materialized, materializedWithName, nameOf } from './options.ts'
import { windowsOf } from './windows.ts'

const kept = (step: Raw) => ({ ...nameOf(step), ...materialized(step) })
const keptByName = (step: Raw) => ({ ...nameOf(step), ...materializedWithName(step) })

/** Counts are numbers in the library's types. */
const count: Operation<{ readonly count: (options: never) => unknown }> = {
  fields: ['named', 'materialized'],
  apply: (it, step) => tableHandle(it.count(kept(step) as never)),
}

/** The operations of what is grouped, windowed or cogrouped (format §4). */
export const groupedStreamSteps: Operations<HandleTypes['groupedStream']> = {
  count,
  reduce: {
    fields: ['reducer', 'named', 'materialized'],
    apply: (it, step) => tableHandle(it.reduce(reducerOf(step, 'reducer'), keptByName(step))),
  },
  aggregate: {
    fields: ['initializer', 'aggregator', 'named', 'materialized'],
    apply: (it, step) => tableHandle(it.aggregate({ ...folding(step), ...keptByName(step) })),
  },
  windowedBy: {
    fields: ['windows'],
    apply(it, step) {
      const windows = windowsOf(required(object, step, 'windows'))
      if (windows.kind === 'session') return handle('sessionWindowed', it.windowedBy(windows))
      return handle('timeWindowed', it.windowedBy(windows))
    },
  },
  cogroup: {
    fields: ['aggregator'],
    apply: (it, step) => handle('cogrouped', it.cogroup(aggregatorOf(step, 'aggregator'))),
  },
}

const folding = (step: Raw) => ({ init: initializerOf(step), add: aggregatorOf(step, 'aggregator') })

export const groupedTableSteps: Operations<HandleTypes['groupedTable']> = {
  count,
  reduce: {
    fields: ['adder', 'subtractor', 'named', 'materialized'],
    apply(it, step) {
      const reducers = { add: reducerOf(step, 'adder'), subtract: reducerOf(step, 'subtractor') }
      return tableHandle(it.reduce({ ...reducers, ...keptByName(step) }))
    },
  },
  aggregate: {
    fields: ['initializer', 'adder', 'subtractor', 'named', 'materialized'],
    apply(it, step) {
      const aggregators = { add: aggregatorOf(step, 'adder'), subtract: aggregatorOf(step, 'subtractor') }
      return tableHandle(it.aggregate({ init: initializerOf(step), ...aggregators, ...kept(step) }))
    },
  },
}

const strategyOf = (step: Raw): 'on-window-close' | 'on-window-update' =>
  oneOf(step, 'strategy', ['onWindowClose', 'onWindowUpdate']) === 'onWindowClose'
    ? 'on-window-close'
    : 'on-window-update'

export const timeWindowedSteps: Operations<HandleTypes['timeWindowed']> = {
  emitStrategy: {
    fields: ['strategy'],
    apply: (it, step) => handle('timeWindowed', it.emitStrategy(strategyOf(step))),
  },
  count,
  reduce: {
    fields: ['reducer', 'named', 'materialized'],
    apply: (it, step) => tableHandle(it.reduce(reducerOf(step, 'reducer'), kept(step))),
  },
  aggregate: {
    fields: ['initializer', 'aggregator', 'named', 'materialized'],
    apply: (it, step) => tableHandle(it.aggregate({ ...folding(step), ...kept(step) })),
  },
}

export const sessionWindowedSteps: Operations<HandleTypes['sessionWindowed']> = {
  emitStrategy: {
    fields: ['strategy'],
    apply: (it, step) => handle('sessionWindowed', it.emitStrategy(strategyOf(step))),
  },
  count,
  reduce: {
    fields: ['reducer', 'named', 'materialized'],
    apply: (it, step) => tableHandle(it.reduce(reducerOf(step, 'reducer'), kept(step))),
  },
  aggregate: {
    fields: ['initializer', 'aggregator', 'merger', 'named', 'materialized'],
    apply: (it, step) => tableHandle(it.aggregate({ ...folding(step), merge: mergerOf(step), ...kept(step) })),
  },
}

export const cogroupedSteps: Operations<HandleTypes['cogrouped']> = {
  cogroup: {
    fields: ['other', 'aggregator'],
    apply(it, step, build) {
      const grouped = otherOf(build, step, 'groupedStream')
      return handle('cogrouped', it.cogroup(grouped, aggregatorOf(step, 'aggregator')))
    },
  },
  aggregate: {
    fields: ['initializer', 'named', 'materialized'],
    apply: (it, step) => tableHandle(it.aggregate({ init: initializerOf(step), ...kept(step) })),
  },
  windowedBy: {
    fields: ['windows'],
    apply(it, step) {
      const windows = windowsOf(required(object, step, 'windows'))
      if (windows.kind === 'session') return handle('sessionWindowedCogrouped', it.windowedBy(windows))
      return handle('timeWindowedCogrouped', it.windowedBy(windows))
    },
  },
}

export const timeWindowedCogroupedSteps: Operations<HandleTypes['timeWindowedCogrouped']> = {
  aggregate: {
    fields: ['initializer', 'named', 'materialized'],
    apply: (it, step) => tableHandle(it.aggregate({ init: initializerOf(step), ...kept(step) })),
  },
}

export const sessionWindowedCogroupedSteps: Operations<HandleTypes['sessionWindowedCogrouped']> = {
  aggregate: {
    fields: ['initializer', 'merger', 'named', 'materialized'],
    apply: (it, step) => tableHandle(it.aggregate({ init: initializerOf(step), merge: mergerOf(step), ...kept(step) })),
  },
}
