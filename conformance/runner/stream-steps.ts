import {
  type Build,
  handle,
  type HandleTypes,
  type Join,
  type Operation,
  type Operations,
  other,
  otherOf,
  streamHandle,
  tableHandle,
} from './dsl-handles.ts'
import { noteEffect } from './effect-log.ts'
import { checkFields, flag, FormatError, given, object, objects, type Raw, required, text, texts } from './format.ts'
import { joinerOf, keylessJoinerOf, predicateOf, selectorOf, valueMapperOf } from './functions-of-step.ts'
import { even, flatPairMapper, flatValueMapper, pairMapper } from './functions.ts'
import { grouped, joined, materialized, nameOf, produced, repartitioned, storeNames, streamJoined } from './options.ts'
import { fixedKeyProcessorSupplier, processorSupplier } from './processors.ts'
import type { Value } from './values.ts'

type Stream = HandleTypes['stream']
type StreamOperation = Operation<Stream>

/** The operations of a stream (format §4). */
export const streamSteps: Operations<Stream> = {
  filter: {
    fields: ['predicate', 'named'],
    apply: (stream, step) => streamHandle(stream.filter(predicateOf(step), nameOf(step))),
  },
  filterNot: {
    fields: ['predicate', 'named'],
    apply: (stream, step) => streamHandle(stream.filterNot(predicateOf(step), nameOf(step))),
  },
  mapValues: {
    fields: ['mapper', 'named'],
    apply: (stream, step) => streamHandle(stream.mapValues(valueMapperOf(step), nameOf(step))),
  },
  map: {
    fields: ['mapper', 'named'],
    apply(stream, step) {
      const mapper = pairMapper(required(text, step, 'mapper'))
      // One of them returns no pair at all: Java refuses that when it happens, and so does the library.
      return streamHandle(stream.map(mapper as (key: Value, value: Value) => [Value, Value], nameOf(step)))
    },
  },
  flatMap: {
    fields: ['mapper', 'named'],
    apply: (stream, step) => streamHandle(stream.flatMap(flatPairMapper(required(text, step, 'mapper')), nameOf(step))),
  },
  flatMapValues: {
    fields: ['mapper', 'named'],
    apply(stream, step) {
      const mapper = flatValueMapper(required(text, step, 'mapper'))
      return streamHandle(stream.flatMapValues((value, key) => mapper(key, value), nameOf(step)))
    },
  },
  selectKey: {
    fields: ['selector', 'named'],
    apply: (stream, step) => streamHandle(stream.selectKey(selectorOf(step), nameOf(step))),
  },
  peek: {
    fields: ['named'],
    apply: (stream, step, { effects }) =>
      streamHandle(stream.peek(noteEffect(effects, text(step, 'id')), nameOf(step))),
  },
  foreach: {
    fields: ['named'],
    apply(stream, step, { effects }) {
      stream.forEach(noteEffect(effects, text(step, 'id')), nameOf(step))
      return null
    },
  },
  split: { fields: ['branches', 'default', 'named'], apply: split },
  merge: {
    fields: ['other', 'named'],
    apply: (stream, step, build) => streamHandle(stream.merge(otherOf(build, step, 'stream'), nameOf(step))),
  },
  repartition: {
    fields: ['repartitioned'],
    apply: (stream, step) => streamHandle(stream.repartition(repartitioned(step))),
  },
  to: {
    fields: ['topic', 'topicExtractor', 'produced'],
    apply(stream, step) {
      stream.to(topicOf(step), produced(step))
      return null
    },
  },
  toTable: {
    fields: ['named', 'materialized'],
    apply: (stream, step) => tableHandle(stream.toTable({ ...nameOf(step), ...materialized(step) } as never)),
  },
  groupByKey: {
    fields: ['grouped'],
    apply: (stream, step) => handle('groupedStream', stream.groupByKey(grouped(step))),
  },
  groupBy: {
    fields: ['selector', 'grouped'],
    apply: (stream, step) => handle('groupedStream', stream.groupBy(selectorOf(step), grouped(step))),
  },
  process: {
    fields: ['processor', 'named', 'stores', 'ownStores'],
    apply: (stream, step) => streamHandle(stream.process(processorSupplier(step), processing(step))),
  },
  processValues: {
    fields: ['processor', 'named', 'stores', 'ownStores'],
    apply: (stream, step) => streamHandle(stream.processValues(fixedKeyProcessorSupplier(step), processing(step))),
  },
  join: joinStep('join'),
  leftJoin: joinStep('leftJoin'),
  outerJoin: joinStep('outerJoin'),
}

const processing = (step: Raw) => ({ ...nameOf(step), ...storeNames(texts(step, 'stores')) })

function split(stream: Stream, step: Raw, { handles }: Build): null {
  // Keys with a letter: JavaScript would put numeric ids in an order of its own.
  const branches: { [branch: string]: never } = {}
  const ids: string[] = []
  const add = (branch: Raw, when: unknown): void => {
    branches[`branch${ids.length}`] = { when, ...given({ name: text(branch, 'name') }) } as never
    ids.push(required(text, branch, 'id'))
  }
  for (const branch of required(objects, step, 'branches')) {
    checkFields(branch, 'a branch', ['id', 'predicate', 'name'])
    add(branch, predicateOf(branch))
  }
  const otherwise = object(step, 'default')
  if (otherwise !== undefined) {
    checkFields(otherwise, 'the default branch', ['id', 'name'])
    add(otherwise, 'otherwise')
  }
  const streams: { readonly [branch: string]: unknown } = stream.split(branches, nameOf(step))
  for (const [i, id] of ids.entries()) handles.set(id, streamHandle(streams[`branch${i}`]))
  return null
}

function topicOf(step: Raw): string | ((key: Value, value: Value) => string) {
  const extractor = object(step, 'topicExtractor')
  if (extractor === undefined) return required(text, step, 'topic')
  checkFields(extractor, '"topicExtractor"', ['type', 'even', 'odd'])
  if (extractor['type'] !== 'byValueEven') {
    throw new FormatError(`unknown topic extractor ${JSON.stringify(extractor['type'])}`)
  }
  const [evenTopic, oddTopic] = [required(text, extractor, 'even'), required(text, extractor, 'odd')]
  // A function with this name: describe() prints it.
  return function byValueEven(_key, value) {
    return even(value) ? evenTopic : oddTopic
  }
}

function joinStep(op: 'join' | 'leftJoin' | 'outerJoin'): StreamOperation {
  const fields = ['other', 'joiner', 'windows', 'streamJoined', 'joined', 'selector', 'joinerWithKey', 'named']
  return {
    fields,
    apply(stream, step, build) {
      const right = other(build, step)
      const join = (stream[op] as Join).bind(stream)
      const check = (own: readonly string[]): void =>
        checkFields(step, `${op} with a ${right.kind}`, ['id', 'op', 'on', 'other', 'joiner', ...own])
      if (right.kind === 'stream') {
        check(['windows', 'streamJoined'])
        return streamHandle(join(right.it, joinerOf(step), streamJoined(step)))
      }
      if (op === 'outerJoin') throw new FormatError(`unknown op "outerJoin" of a stream with a ${right.kind}`)
      if (right.kind === 'table') {
        check(['joined'])
        return streamHandle(join(right.it, joinerOf(step), joined(step)))
      }
      if (right.kind === 'globalTable') {
        check(['selector', 'joinerWithKey', 'named'])
        const joiner = flag(step, 'joinerWithKey') === true ? joinerOf(step) : keylessJoinerOf(step)
        return streamHandle(join(right.it, joiner, { mapKey: selectorOf(step), ...nameOf(step) }))
      }
      throw new FormatError(`a stream cannot be joined with a ${right.kind}`)
    },
  }
}
