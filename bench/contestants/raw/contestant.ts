import { join } from 'node:path'
import { asPublished, providePublished } from '../../harness/as-published.ts'
import type { Contestant } from '../../harness/contestant.ts'
import type { WorkloadName } from '../../harness/job.ts'

const able: ReadonlySet<WorkloadName> = new Set(['vote-count', 'vote-count-repartition', 'new-keys', 'join'])

/** The limit: what moving the bytes costs when nothing is done with them. */
export const raw: Contestant = {
  name: 'raw',
  settings: () => 'the bytes are moved and not looked at',
  movesOnly: true,
  refuses: (workload) => (able.has(workload) ? null : 'what it would move is not what the others move'),
  provide() {
    providePublished()
    return Promise.resolve(`stream-core's client, node ${process.versions.node}`)
  },
  command: () => ({ program: process.execPath, arguments: asPublished(join(import.meta.dirname, 'main.ts')) }),
}
