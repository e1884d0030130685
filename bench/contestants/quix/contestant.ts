import { join } from 'node:path'
import type { Contestant } from '../../harness/contestant.ts'
import type { WorkloadName } from '../../harness/job.ts'
import { must, pythonWith } from '../../harness/install.ts'

const able: ReadonlySet<WorkloadName> = new Set(['vote-count', 'vote-count-repartition', 'word-count'])
const provided = (): string => pythonWith('quix', join(import.meta.dirname, 'requirements.txt'))

export const quix: Contestant = {
  name: 'quix',
  settings: () => '',
  refuses: (workload) => (able.has(workload) ? null : 'it has no tables of topics, and its changelogs are not counts'),
  recordsMax: (workload) => (workload === 'word-count' ? 20_000 : 200_000),
  provide() {
    const version = must(
      provided(),
      '-c',
      'import quixstreams, platform; print(quixstreams.__version__, "Python", platform.python_version())',
    )
    return Promise.resolve(`Quix Streams ${version.trim()}`)
  },
  command: () => ({ program: provided(), arguments: [join(import.meta.dirname, 'main.py')] }),
}
