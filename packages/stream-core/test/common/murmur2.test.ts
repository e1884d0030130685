import { expect, test } from 'vitest'
import { murmur2, partitionForKey } from '../../src/common/murmur2.ts'

/** From clients/src/test/java/org/apache/kafka/common/utils/UtilsTest.java, and two more that Java answered. */
const vectors: readonly (readonly [text: string, hash: number])[] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
  ['', 275646681],
]

test.each(vectors)('the hash of "%s" is the one Java computes', (text, hash) => {
  expect(murmur2(Buffer.from(text))).toBe(hash)
})

test('the hash depends on the bytes alone, wherever they lie in a buffer', () => {
  const padded = Buffer.from('..foobar..')
  expect(murmur2(padded.subarray(2, 8))).toBe(-790332482)
  expect(murmur2(new Uint8Array(Buffer.from('foobar')))).toBe(-790332482)
})

test('a key goes to the partition of its positive hash, for every number of partitions', () => {
  for (const [text, hash] of vectors) {
    for (const count of [1, 2, 3, 6, 10, 1000]) {
      expect(partitionForKey(Buffer.from(text), count)).toBe((hash & 0x7fffffff) % count)
    }
  }
})
