import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Contestant } from '../../harness/contestant.ts'
import type { WorkloadName } from '../../harness/job.ts'

const able: ReadonlySet<WorkloadName> = new Set(['vote-count', 'vote-count-repartition', 'word-count'])

export const nodeLoop: Contestant = {
  name: 'node-loop',
  settings: () => 'no changelog, fetches of 1 MB',
  refuses(workload, guarantee) {
    if (guarantee === 'exactly-once') return 'a loop by hand has no exactly-once'
    return able.has(workload) ? null : 'it keeps nothing that it could restore or join'
  },
  provide() {
    // Its package.json is no export.
    const main = createRequire(import.meta.url).resolve('@platformatic/kafka')
    const { version } = JSON.parse(readFileSync(join(dirname(main), '..', 'package.json'), 'utf8')) as {
      readonly version: string
    }
    return Promise.resolve(`@platformatic/kafka ${version}, node ${process.versions.node}`)
  },
  command: () => ({ program: process.execPath, arguments: [join(import.meta.dirname, 'main.mjs')] }),
}
