import { isIPv6 } from 'node:net'

const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i

/**
 * What stands for one subscriber in counts by address: an IPv4 address, also one that is written as IPv6, or the first 64 bits of an
 * IPv6 address, as `2001:db8:0:1::/64`, whose other 64 bits are its owner's to choose. Anything else is taken as it is.
 */
export function addressPrefix(address: string): string {
  const v4 = mapped.exec(address)?.[1]
  if (v4 !== undefined) return v4
  const bare = address.split('%', 1)[0]!
  if (!isIPv6(bare)) return address
  // Zeros left out, letters small: each address in its one form.
  const [head = '', tail] = new URL(`http://[${bare}]`).hostname.slice(1, -1).split('::')
  const groups = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const all = tail === undefined ? groups : [...groups, ...Array(8 - groups.length - after.length).fill('0'), ...after]
  return `${all.slice(0, 4).join(':')}::/64`
}
