import { accessSync, constants, mkdtempSync, readFileSync, statfsSync } from 'node:fs'
import { join } from 'node:path'

const memory = '/dev/shm'
const bytesMin = 6 * 1024 ** 3

/**
 * A new folder in memory for what tests write, or null where the machine has none that is large enough. Tests are about what
 * is written, and in which order; a disk that others use, too, makes them wait for nothing they check. Brokers and RocksDB
 * load libraries from their temporary folders, so programs must be allowed there.
 */
export function memoryFolder(): string | null {
  try {
    accessSync(memory, constants.W_OK)
    const { bavail, bsize } = statfsSync(memory)
    const [, , , options = 'noexec'] =
      readFileSync('/proc/mounts', 'utf8')
        .split('\n')
        .map((line) => line.split(' '))
        .find(([, path]) => path === memory) ?? []
    if (bavail * bsize < bytesMin || options.split(',').includes('noexec')) return null
    return mkdtempSync(join(memory, 'stream-core-test-'))
  } catch {
    return null
  }
}
