import { describe, expect, it } from 'vitest'
import { compareRecordings } from './compare.ts'
import type { Recording, RecordedRecord } from './format.ts'

const none: ReadonlySet<string> = new Set()
const at = (after: number, key: string | null, value: string | null, timestamp = 0): RecordedRecord => ({
  after,
  key,
  value,
  timestamp,
})
const end: Recording = {
  error: null,
  describe: 'one\ntwo\n',
  outputs: {},
  internal: {},
  stores: {},
  droppedRecords: 0,
  streamTime: 5,
}
const place = (expected: Recording, got: Recording, whole = none): string | null =>
  compareRecordings(expected, got, whole)?.place ?? null

describe('what was produced', () => {
  it('a wrong value is found, and its place named', () => {
    const expected = { ...end, outputs: { out: [at(0, 'a', '1'), at(2, 'b', '2')] } }
    const got = { ...end, outputs: { out: [at(0, 'a', '1'), at(2, 'b', '3')] } }
    expect(compareRecordings(expected, got, none)).toEqual({
      place: 'outputs.out[1].value (after 2)',
      expected: '2',
      got: '3',
    })
  })

  it('a record that is missing, and one too many, are found', () => {
    const more = { ...end, outputs: { out: [at(0, 'a', '1'), at(1, 'b', '2')] } }
    const less = { ...end, outputs: { out: [at(0, 'a', '1')] } }
    expect(compareRecordings(more, less, none)).toEqual({
      place: 'outputs.out[1] (after 1)',
      expected: at(1, 'b', '2'),
      got: null,
    })
    expect(place(less, more)).toBe('outputs.out[1] (after 1)')
  })

  it('the earliest stimulus comes first, and in it outputs, effects and internal topics', () => {
    const got = {
      ...end,
      outputs: { out: [at(1, 'a', '1')] },
      effects: [{ after: 0, id: 'p', key: 'a', value: '1' }],
      internal: { 'app-x-repartition': [at(0, '61', '31')] },
    }
    expect(place(end, got)).toBe('effects[0] (after 0)')
    expect(place({ ...end, effects: got.effects }, got)).toBe('internal.app-x-repartition[0] (after 0)')
    expect(place({ ...end, effects: got.effects, internal: got.internal }, got)).toBe('outputs.out[0] (after 1)')
  })

  it('headers count, and none are the same as an empty list', () => {
    const withHeaders = { ...end, outputs: { out: [{ ...at(0, 'a', '1'), headers: [['h', '00']] }] } }
    const without = { ...end, outputs: { out: [at(0, 'a', '1')] } }
    const empty = { ...end, outputs: { out: [{ ...at(0, 'a', '1'), headers: [] }] } }
    expect(place(withHeaders, without)).toBe('outputs.out[0].headers (after 0)')
    expect(place(without, empty)).toBeNull()
  })
})

describe('the one freedom', () => {
  const log = 'app-s-changelog'
  const every = { ...end, internal: { [log]: [at(0, '62', '01'), at(0, '61', '01'), at(0, '62', '02')] } }
  const last = { ...end, internal: { [log]: [at(0, '61', '01'), at(0, '62', '02')] } }

  it('of a changelog only the last record of each key and stimulus counts, in the order of keys', () => {
    expect(place(every, last)).toBeNull()
    expect(place(last, every)).toBeNull()
  })

  it('a wrong last record is found', () => {
    const wrong = { ...end, internal: { [log]: [at(0, '61', '01'), at(0, '62', '03')] } }
    expect(place(every, wrong)).toBe(`internal.${log}[2].value (after 0)`)
  })

  it('stimuli are not mixed', () => {
    const later = { ...end, internal: { [log]: [at(0, '62', '01'), at(0, '61', '01'), at(1, '62', '02')] } }
    expect(place(every, later)).toBe(`internal.${log}[2].value (after 0)`)
  })

  it('changelogs that keep every change, and repartition topics, are compared in full', () => {
    expect(place(every, last, new Set([log]))).toBe(`internal.${log}[0].key (after 0)`)
    const [a, b] = [at(0, '61', '01'), at(0, '62', '02')]
    const [forth, back] = [
      [a, b],
      [b, a],
    ].map((records) => ({ ...end, internal: { 'app-x-repartition': records } }))
    expect(place(forth!, back!)).toBe('internal.app-x-repartition[0].key (after 0)')
  })
})

describe('errors, descriptions and the end', () => {
  it('of an error phase, step and class count, and its message does not', () => {
    const error = { phase: 'run', step: 3, class: 'StreamsException', message: 'boom' } as const
    expect(place({ error }, { error: { ...error, message: 'bang' } })).toBeNull()
    expect(place({ error }, { error: { ...error, step: 4 } })).toBe('error')
    expect(place({ error }, { error: { ...error, class: 'TypeError' } })).toBe('error')
    expect(place(end, { error })).toBe('error')
  })

  it('after an error what Java did not record is not compared', () => {
    const { stores: _stores, droppedRecords: _dropped, streamTime: _time, ...part } = end
    const error = { phase: 'run', step: 0, class: 'StreamsException' } as const
    expect(place({ ...part, error }, { ...part, error })).toBeNull()
  })

  it('the first line that differs is named', () => {
    expect(compareRecordings(end, { ...end, describe: 'one\n2\n' }, none)).toEqual({
      place: 'describe[1]',
      expected: 'two',
      got: '2',
    })
  })

  it('stores, dropped records and stream time are compared last', () => {
    const store = { type: 'keyValue', entries: [['a', 1]] }
    const with1 = { ...end, stores: { s: store } }
    expect(place(with1, { ...with1, stores: { s: { ...store, entries: [['a', 2]] } } })).toBe('stores.s.entries[0]')
    expect(place(with1, { ...with1, stores: { s: { ...store, type: 'window' } } })).toBe('stores.s.type')
    expect(place(with1, end)).toBe('stores.s')
    expect(place(end, { ...end, droppedRecords: 1 })).toBe('droppedRecords')
    expect(place(end, { ...end, streamTime: 6 })).toBe('streamTime')
    expect(place(end, end)).toBeNull()
  })
})
