import { join } from 'node:path'
import type { Contestant } from '../../harness/contestant.ts'

export const streamCore: Contestant = {
  name: 'stream-core',
  settings: () => '',
  refuses: () => null,
  provide: () => Promise.resolve(`node ${process.versions.node}`),
  command: () => ({ program: process.execPath, arguments: [join(import.meta.dirname, 'main.ts')] }),
}
