import { describe, expect, test } from 'vitest'
import { build, emptied, marker, placed, readAll, valuesOf, writer } from '../support/record-batches.ts'

describe('transactions', () => {
  /** One producer aborts, commits and aborts again; another one writes in between. */
  const log = Buffer.concat([
    placed(build(['a1 aborted'], writer(1)), 0),
    placed(build(['b1'], writer(2)), 1),
    marker(1, 'abort', 2),
    placed(build(['a2'], writer(1)), 3),
    marker(1, 'commit', 4),
    placed(build(['a3 aborted', 'a3 aborted too'], writer(1)), 5),
    placed(build(['plain']), 7),
    marker(1, 'abort', 8),
    marker(2, 'commit', 9),
    placed(build(['a4'], writer(1)), 10),
  ])
  const abortedTransactions = [
    { producerId: 1, firstOffset: 5 },
    { producerId: 1, firstOffset: 0 },
  ]

  test('aborted records are left out, committed ones of the same producer are not', () => {
    expect(valuesOf(log, { abortedTransactions })).toEqual(['b1', 'a2', 'plain', 'a4'])
  })

  test('read_uncommitted sees all records, and no markers', () => {
    const all = ['a1 aborted', 'b1', 'a2', 'a3 aborted', 'a3 aborted too', 'plain', 'a4']
    expect(valuesOf(log, { isolation: 'read_uncommitted', abortedTransactions })).toEqual(all)
  })

  test('the position moves over aborted records and markers', () => {
    const input = Buffer.concat([placed(build(['gone'], writer(1)), 0), marker(1, 'abort', 1)])
    expect(readAll(input, { abortedTransactions: [{ producerId: 1, firstOffset: 0 }] })).toEqual({
      records: [],
      position: 2,
    })
  })

  test('an abort is known although its marker is not among the fetched bytes', () => {
    const input = placed(build(['gone'], writer(1)), 0)
    expect(valuesOf(input, { abortedTransactions: [{ producerId: 1, firstOffset: 0 }] })).toEqual([])
  })

  test('reading may begin behind the first record of an aborted transaction', () => {
    const input = Buffer.concat([
      placed(build(['gone too'], writer(1)), 6),
      marker(1, 'abort', 7),
      placed(build(['kept'], writer(1)), 8),
    ])
    expect(valuesOf(input, { fromOffset: 6, abortedTransactions: [{ producerId: 1, firstOffset: 2 }] })).toEqual([
      'kept',
    ])
  })

  test('a transaction that is aborted later does not touch what its producer committed before', () => {
    const input = Buffer.concat([
      placed(build(['kept'], writer(1)), 0),
      marker(1, 'commit', 1),
      placed(build(['gone'], writer(1)), 2),
    ])
    expect(valuesOf(input, { abortedTransactions: [{ producerId: 1, firstOffset: 2 }] })).toEqual(['kept'])
  })

  test('records outside transactions are never left out', () => {
    const input = placed(build(['idempotent'], { producerId: 1, producerEpoch: 0, baseSequence: 0 }), 0)
    expect(valuesOf(input, { abortedTransactions: [{ producerId: 1, firstOffset: 0 }] })).toEqual(['idempotent'])
  })

  test('a marker emptied by compaction says nothing, and is passed over', () => {
    const input = Buffer.concat([
      placed(build(['gone'], writer(1)), 0),
      emptied(marker(1, 'abort', 1)),
      placed(build(['kept'], writer(2)), 2),
    ])
    const read = readAll(input, { abortedTransactions: [{ producerId: 1, firstOffset: 0 }] })
    expect(read.records.map(({ value }) => value!.toString())).toEqual(['kept'])
    expect(read.position).toBe(3)
  })

  test('a data batch emptied by compaction moves the position only', () => {
    const input = Buffer.concat([emptied(placed(build(['a', 'b']), 0)), placed(build(['c']), 2)])
    expect(valuesOf(input)).toEqual(['c'])
    expect(readAll(emptied(placed(build(['a', 'b']), 0)))).toEqual({ records: [], position: 2 })
  })
})
