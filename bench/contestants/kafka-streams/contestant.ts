import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { classPath, kafkaVersion, provideJars } from '../../../scripts/kafka/jars.ts'
import type { Contestant } from '../../harness/contestant.ts'

const sources = join(import.meta.dirname, 'src')
const classes = join(import.meta.dirname, '..', '..', '..', '.tools', 'bench-kafka-streams')

/**
 * Java Kafka Streams with its best settings that give right results: no record cache for new keys, which costs it a third
 * there; for the rest its defaults, which are the commit interval of 100 ms under exactly-once, and 1 s otherwise, because with
 * its 30 s nothing comes out for 30 s.
 */
export const kafkaStreams: Contestant = {
  name: 'kafka-streams',
  settings(workload, guarantee) {
    const commit = guarantee === 'exactly-once' ? 'commit 100 ms' : 'commit 1 s'
    return workload === 'new-keys' ? `${commit}, cache 0` : commit
  },
  refuses: () => null,
  async provide() {
    await provideJars(kafkaVersion, (text) => process.stderr.write(`${text}\n`))
    const files = readdirSync(sources).map((name) => join(sources, name))
    const builtMs = existsSync(classes) ? statSync(classes).mtimeMs : 0
    if (files.some((file) => statSync(file).mtimeMs > builtMs)) {
      mkdirSync(classes, { recursive: true })
      const compiler = ['-nowarn', '-d', classes, '-cp', classPath(kafkaVersion), ...files]
      const { error, status, stderr } = spawnSync('javac', compiler, { encoding: 'utf8' })
      if (error) throw new Error('there is no Java compiler (`javac`): install a JDK 17 or newer')
      if (status !== 0) throw new Error(`javac: ${stderr}`)
    }
    const { stderr } = spawnSync('java', ['-version'], { encoding: 'utf8' })
    return `Kafka Streams ${kafkaVersion}, Java ${/version "([^"]+)"/.exec(stderr)?.[1] ?? '?'}`
  },
  command: () => ({
    program: 'java',
    arguments: ['-Xms512m', '-Xmx2g', '-cp', `${classes}:${classPath(kafkaVersion)}`, 'Main'],
  }),
}
