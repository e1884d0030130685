import { expect, test } from 'vitest'
import { murmur3Hash128 } from '../../src/common/murmur3.ts'

const hash = (text: string, seed?: number): string => murmur3Hash128(Buffer.from(text), seed).toString('hex')
const halves = (h1: bigint, h2: bigint): string => {
  const bytes = Buffer.alloc(16)
  bytes.writeBigInt64BE(h1, 0)
  bytes.writeBigInt64BE(h2, 8)
  return bytes.toString('hex')
}

test('the hash is Kafka’s for its own test vectors', () => {
  expect(hash('21', 123)).toBe(halves(5857341059704281894n, -5288187638297930763n))
  expect(hash('foobar', 123)).toBe(halves(-351361463397418609n, 8959716011862540668n))
  expect(hash('abc', 123)).toBe(halves(1489494923063836066n, -5440978547625122829n))
})

test('the seed of foreign-key joins is the default', () => {
  expect(hash('21')).toBe(halves(-1045175892060202657n, -6196245913608550939n))
  expect(hash('foobar')).toBe(halves(-1926091222759195742n, 2201308245896195406n))
  expect(hash('abc')).toBe(halves(-8302830256874342818n, -1638537471643095488n))
})
