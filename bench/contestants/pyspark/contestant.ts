import { cpSync, mkdirSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Contestant } from '../../harness/contestant.ts'
import type { WorkloadName } from '../../harness/job.ts'
import { installed, must, pythonWith } from '../../harness/install.ts'

const able: ReadonlySet<WorkloadName> = new Set(['vote-count', 'vote-count-repartition', 'word-count'])
/** The rest of what the connector depends on comes with PySpark. */
const neededJars = /^(spark-sql-kafka|spark-token-provider|kafka-clients|commons-pool2)/
const pom = join(import.meta.dirname, 'pom.xml')
const python = (): string => pythonWith('pyspark', join(import.meta.dirname, 'requirements.txt'))

const jars = (): string =>
  installed('pyspark-jars', readFileSync(pom, 'utf8'), (folder) => {
    const all = join(folder, 'all')
    must(
      'mvn',
      '-q',
      '-B',
      '-f',
      pom,
      'dependency:copy-dependencies',
      `-DoutputDirectory=${all}`,
      '-DincludeScope=runtime',
    )
    mkdirSync(join(folder, 'jars'), { recursive: true })
    for (const name of readdirSync(all)) if (neededJars.test(name)) cpSync(join(all, name), join(folder, 'jars', name))
  })

export const pyspark: Contestant = {
  name: 'pyspark',
  settings: () => 'local[2], availableNow, shuffles without a topic',
  refuses(workload, guarantee) {
    if (guarantee === 'exactly-once') return 'its sink for Kafka is at-least-once'
    return able.has(workload) ? null : 'not written for it: it has no tables of topics, and no changelogs'
  },
  provide() {
    jars()
    const version = must(
      python(),
      '-c',
      'import pyspark, platform; print(pyspark.__version__, "Python", platform.python_version())',
    )
    return Promise.resolve(`PySpark ${version.trim()}`)
  },
  command: () => ({ program: python(), arguments: [join(import.meta.dirname, 'main.py'), join(jars(), 'jars')] }),
}
