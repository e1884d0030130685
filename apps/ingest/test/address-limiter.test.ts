import { addressPrefix } from '@voting/election/address-prefix'
import { expect, test } from 'vitest'
import { AddressLimiter } from '../src/address-limiter.ts'

test('an IPv6 address stands for its first 64 bits, however it is written, and an IPv4 address for itself', () => {
  const same = ['2001:db8:0:1::1', '2001:0DB8:0000:0001:ffff::', '2001:db8::1:0:0:0:9', '2001:db8:0:1::1%eth0']
  for (const address of same) expect(addressPrefix(address)).toBe('2001:db8:0:1::/64')
  expect(addressPrefix('2001:db8:0:2::1')).toBe('2001:db8:0:2::/64')
  expect(addressPrefix('::1')).toBe('0:0:0:0::/64')
  expect(addressPrefix('fe80::')).toBe('fe80:0:0:0::/64')
  expect(addressPrefix('1::2:3:4:5:6:7')).toBe('1:0:2:3::/64')
  for (const address of ['192.0.2.1', '::ffff:192.0.2.1', '::FFFF:192.0.2.1']) {
    expect(addressPrefix(address)).toBe('192.0.2.1')
  }
  expect(addressPrefix('no address')).toBe('no address')
})

test('whoever has a whole network is limited as one, and neighbours are not', () => {
  const limiter = new AddressLimiter({ perMinute: 2 })
  expect(['2001:db8::1', '2001:db8::2'].map((address) => limiter.note(address))).toEqual([0, 0])
  expect(limiter.note('2001:db8::3')).toBeGreaterThan(0)
  expect(limiter.note('2001:db8:0:1::3')).toBe(0)
})

test('where there is no room for more addresses the oldest is forgotten, and no other', () => {
  const limiter = new AddressLimiter({ perMinute: 1, addressesMax: 3 })
  for (const address of ['a', 'b', 'c']) expect(limiter.note(address)).toBe(0)
  expect(limiter.note('d')).toBe(0)
  for (const address of ['b', 'c', 'd']) expect(limiter.note(address)).toBeGreaterThan(0)
  expect(limiter.note('a')).toBe(0)
})
