import { join } from 'node:path'
import type { Contestant } from '../../harness/contestant.ts'
import type { WorkloadName } from '../../harness/job.ts'

/** Where what was counted can be seen from outside the threads. */
const able: ReadonlySet<WorkloadName> = new Set(['vote-count-repartition', 'word-count'])

export const streamCoreThreads: Contestant = {
  name: 'stream-core-threads',
  settings: () => '2 threads',
  refuses: (workload) => (able.has(workload) ? null : 'it is measured where a repartition topic is counted behind'),
  provide: () => Promise.resolve(`node ${process.versions.node}`),
  command: () => ({ program: process.execPath, arguments: [join(import.meta.dirname, 'main.ts')] }),
}
