import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Contestant } from '../../harness/contestant.ts'
import type { WorkloadName } from '../../harness/job.ts'
import { installed, must } from '../../harness/install.ts'

const able: ReadonlySet<WorkloadName> = new Set(['vote-count', 'vote-count-repartition', 'word-count'])
const packageFile = join(import.meta.dirname, 'package.json')

function provideFolder(): string {
  return installed('kafkats', readFileSync(packageFile, 'utf8'), (folder) => {
    copyFileSync(packageFile, join(folder, 'package.json'))
    must('npm', 'install', '--prefix', folder, '--no-audit', '--no-fund', '--ignore-scripts')
  })
}

export const kafkats: Contestant = {
  name: 'kafkats',
  settings: () => 'state in memory',
  refuses: (workload) => (able.has(workload) ? null : 'it has no such operator, or no way to check its state'),
  recordsMax: (workload) => (workload === 'word-count' ? 2000 : 20_000),
  provide() {
    const folder = provideFolder()
    const { version } = JSON.parse(
      readFileSync(join(folder, 'node_modules', '@kafkats', 'flow', 'package.json'), 'utf8'),
    ) as { readonly version: string }
    return Promise.resolve(`@kafkats/flow ${version}, node ${process.versions.node}`)
  },
  command() {
    // Bare imports resolve from where the packages are.
    const folder = provideFolder()
    const program = join(folder, 'main.mjs')
    copyFileSync(join(import.meta.dirname, 'main.mjs'), program)
    return { program: process.execPath, arguments: [program], folder }
  },
}
