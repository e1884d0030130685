import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RecordBatchBuilder } from '../../src/common/record-batch-builder.ts'
import { RecordBatchReader } from '../../src/common/record-batch-reader.ts'
import { at, attribute, batchHeaderBytes, varintBytes, writeInt64 } from '../../src/common/record-batch.ts'
import { build, bytes, mended, placed, readAll, valuesOf } from '../support/record-batches.ts'

describe('round trips', () => {
  test('keys, values, headers and times come back, nulls and empties told apart', () => {
    const builder = new RecordBatchBuilder(1)
    builder.append(bytes('k'), bytes('v'), 5000, [
      ['a', bytes('1')],
      ['a', null],
      ['ключ', Buffer.alloc(0)],
    ])
    builder.append(null, null, 4000, [])
    builder.append(Buffer.alloc(0), Buffer.alloc(0), 2 ** 41, [])
    builder.append('latin1-\xff', 'plain', 0, [])
    expect(builder.recordCount).toBe(4)
    const { records, position } = readAll(placed(builder.seal(), 10))
    expect(records).toEqual([
      {
        offset: 10,
        timestampMs: 5000,
        key: bytes('k'),
        value: bytes('v'),
        headers: [
          ['a', bytes('1')],
          ['a', null],
          ['ключ', Buffer.alloc(0)],
        ],
      },
      { offset: 11, timestampMs: 4000, key: null, value: null, headers: [] },
      { offset: 12, timestampMs: 2 ** 41, key: Buffer.alloc(0), value: Buffer.alloc(0), headers: [] },
      { offset: 13, timestampMs: 0, key: Buffer.from('latin1-\xff', 'latin1'), value: bytes('plain'), headers: [] },
    ])
    expect(position).toBe(14)
  })

  test('any records come back as they were written, packed or not', () => {
    const data = fc.option(fc.uint8Array({ maxLength: 300 }), { nil: null })
    const header = fc.tuple(fc.string({ unit: 'binary', maxLength: 20 }), data)
    const record = fc.record({
      key: data,
      value: data,
      timestampMs: fc.integer({ min: 0, max: 2 ** 45 }),
      headers: fc.array(header, { maxLength: 3 }),
    })
    const input = fc.tuple(
      fc.array(fc.array(record, { minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 4 }),
      fc.constantFrom('none' as const, 'zstd' as const),
      fc.integer({ min: 0, max: 2 ** 50 }),
    )
    fc.assert(
      fc.property(input, ([batches, compression, baseOffset]) => {
        const builder = new RecordBatchBuilder()
        const sealed: Buffer[] = []
        let offset = baseOffset
        for (const records of batches) {
          for (const { key, value, timestampMs, headers } of records) {
            builder.append(
              key,
              value,
              timestampMs,
              headers.map(([name, data]) => [name, data && Buffer.from(data)] as const),
            )
          }
          sealed.push(placed(builder.seal({ compression }), offset))
          offset += records.length
        }
        const read = readAll(Buffer.concat(sealed), { fromOffset: baseOffset })
        const expected = batches.flat().map(({ key, value, timestampMs, headers }, i) => ({
          offset: baseOffset + i,
          timestampMs,
          key: key && Buffer.from(key),
          value: value && Buffer.from(value),
          headers: headers.map(([name, data]) => [name, data && Buffer.from(data)]),
        }))
        expect(read).toEqual({ records: expected, position: offset })
      }),
    )
  })

  test('lengths at the edges of a varint', () => {
    const lengths = [0, 1, 62, 63, 64, 65, 8191, 8192, 8193, 1 << 20, (1 << 20) + 1]
    const builder = new RecordBatchBuilder()
    for (const length of lengths) builder.append(null, Buffer.alloc(length, length), 0, [])
    expect(readAll(builder.seal()).records.map(({ value }) => value!.length)).toEqual(lengths)
  })

  test('time differences at the edges of a varint, in both directions', () => {
    const middle = 2 ** 44
    const edges = [6, 7, 13, 14, 20, 27, 30, 31, 32, 34, 35, 41, 42].flatMap((bits) => [
      2 ** bits - 1,
      2 ** bits,
      2 ** bits + 1,
    ])
    const times = [middle, ...edges.map((edge) => middle + edge), ...edges.map((edge) => middle - edge)]
    const builder = new RecordBatchBuilder()
    for (const timestampMs of times) builder.append(null, null, timestampMs, [])
    expect(readAll(builder.seal()).records.map(({ timestampMs }) => timestampMs)).toEqual(times)
  })

  test('the size of a varint is known before it is written', () => {
    const sizes: [number, number][] = [
      [0, 1],
      [-1, 1],
      [63, 1],
      [-64, 1],
      [64, 2],
      [-65, 2],
      [8191, 2],
      [8192, 3],
      [2 ** 31, 5],
      [2 ** 34, 6],
    ]
    for (const [value, size] of sizes) expect([value, varintBytes(value)]).toEqual([value, size])
  })

  test('a sealed batch is the caller’s: the builder goes on in another buffer', () => {
    const builder = new RecordBatchBuilder()
    builder.append(null, bytes('first'), 1, [])
    const first = builder.seal()
    builder.append(null, bytes('other'), 1, [])
    builder.seal()
    expect(valuesOf(first)).toEqual(['first'])
    expect(builder.recordCount).toBe(0)
  })

  test('the header says who wrote the batch', () => {
    const batch = build(['a', 'b', 'c'], {
      producerId: 2 ** 40,
      producerEpoch: 5,
      baseSequence: 2147483647,
      transactional: true,
    })
    expect(batch.readBigInt64BE(at.producerId)).toBe(2n ** 40n)
    expect(batch.readInt16BE(at.producerEpoch)).toBe(5)
    expect(batch.readInt32BE(at.baseSequence)).toBe(2147483647)
    expect(batch.readInt32BE(at.lastOffsetDelta)).toBe(2)
    expect(batch.readInt32BE(at.recordCount)).toBe(3)
    expect(batch.readInt16BE(at.attributes)).toBe(attribute.transactional)
    expect(batch.readBigInt64BE(at.maxTimestamp)).toBe(1002n)
    expect(build(['a']).readBigInt64BE(at.producerId)).toBe(-1n)
  })
})

describe('compression', () => {
  test('zstd packs what the builder seals', () => {
    const values = Array.from({ length: 500 }, (_, i) => `value number ${i}`)
    const [plain, packed] = [build(values), build(values, { compression: 'zstd' })]
    expect(packed.length).toBeLessThan(plain.length / 2)
    expect(valuesOf(packed)).toEqual(values)
  })

  test('gzip, as other programs write it, is read', () => {
    const plain = build(['one', 'two'])
    const packed = mended(
      Buffer.concat([plain.subarray(0, batchHeaderBytes), gzipSync(plain.subarray(batchHeaderBytes))]),
      (b) => b.writeInt16BE(1, at.attributes),
    )
    expect(valuesOf(packed)).toEqual(['one', 'two'])
  })

  test('packed and plain batches may follow each other', () => {
    const input = Buffer.concat([
      placed(build(['a'], { compression: 'zstd' }), 0),
      placed(build(['b']), 1),
      placed(build(['c', 'd'], { compression: 'zstd' }), 2),
    ])
    expect(valuesOf(input)).toEqual(['a', 'b', 'c', 'd'])
  })

  test('a format that this reader was not given is refused by name', () => {
    const lz4 = mended(build(['x']), (batch) => batch.writeInt16BE(3, at.attributes))
    expect(() => readAll(lz4)).toThrow(
      expect.objectContaining({ code: 'CORRUPT_LOG', message: expect.stringContaining('lz4') }),
    )
    const unknown = mended(build(['x']), (batch) => batch.writeInt16BE(6, at.attributes))
    expect(() => readAll(unknown)).toThrow('unknown compression 6')
  })
})

describe('where reading begins and ends', () => {
  test.each(['none', 'zstd'] as const)(
    'a fetch may begin inside a batch (%s): earlier records are skipped',
    (compression) => {
      const input = Buffer.concat([
        placed(build(['a', 'b'], { compression }), 0),
        placed(build(['c', 'd', 'e'], { compression }), 2),
      ])
      expect(valuesOf(input, { fromOffset: 3 })).toEqual(['d', 'e'])
      expect(valuesOf(input, { fromOffset: 2 })).toEqual(['c', 'd', 'e'])
      expect(readAll(input, { fromOffset: 5 })).toEqual({ records: [], position: 5 })
    },
  )

  test('bytes cut short anywhere yield the whole batches before the cut, and a position to go on from', () => {
    const first = placed(build(['a', 'b']), 0)
    const input = Buffer.concat([first, placed(build(['c']), 2)])
    for (let length = 0; length <= input.length; length++) {
      const { records, position } = readAll(Buffer.from(input.subarray(0, length)))
      const count = length === input.length ? 3 : length >= first.length ? 2 : 0
      expect([length, records.length, position]).toEqual([length, count, count])
    }
  })

  test('the position follows the batch header, also where compaction took the last records', () => {
    const batch = mended(build(['a', 'b']), (bytes) => bytes.writeInt32BE(9, at.lastOffsetDelta))
    expect(readAll(batch)).toMatchObject({ records: [{ offset: 0 }, { offset: 1 }], position: 10 })
  })

  test('a reader looks only between the bounds it was given', () => {
    const batch = build(['a'])
    const input = Buffer.concat([bytes('junk'), batch, bytes('junk')])
    const reader = new RecordBatchReader(input, 4, 4 + batch.length, { fromOffset: 0, isolation: 'read_committed' })
    expect(reader.next()).toBe(true)
    expect(reader.value()!.toString()).toBe('a')
    expect(reader.next()).toBe(false)
  })

  test('every byte under the checksum is covered: one flipped bit is found', () => {
    const sound = placed(build(['some value']), 3)
    for (let i = at.attributes; i < sound.length; i++) {
      const batch = Buffer.from(sound)
      batch[i]! ^= 0x10
      // A changed offset count moves the batch below the position; then it is not used, so it is not checked.
      if (batch.readInt32BE(at.lastOffsetDelta) < 0) continue
      expect(() => readAll(batch, { where: 'votes partition 2' }), `byte ${i}`).toThrow(
        expect.objectContaining({
          code: 'CORRUPT_LOG',
          message: expect.stringContaining('offset 3 of votes partition 2'),
        }),
      )
    }
  })

  test('batches before a corrupt one are read', () => {
    const corrupt = placed(build(['b']), 1)
    corrupt[corrupt.length - 2]! ^= 1
    const input = Buffer.concat([placed(build(['a']), 0), corrupt])
    const reader = new RecordBatchReader(input, 0, input.length, { fromOffset: 0, isolation: 'read_committed' })
    expect(reader.next()).toBe(true)
    expect(() => reader.next()).toThrow('checksum')
  })

  test('an older message format is refused', () => {
    const batch = build(['a'])
    batch[at.magic] = 1
    expect(() => readAll(batch)).toThrow('magic 1')
  })

  test('with log append time every record has the batch’s time', () => {
    const batch = mended(build(['a', 'b']), (bytes) => {
      bytes.writeInt16BE(attribute.logAppendTime, at.attributes)
      writeInt64(bytes, 777_777, at.maxTimestamp)
    })
    expect(readAll(batch).records.map(({ timestampMs }) => timestampMs)).toEqual([777_777, 777_777])
  })
})
