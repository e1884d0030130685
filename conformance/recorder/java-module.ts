import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const folder = import.meta.dirname
const target = join(folder, 'target')
const complete = join(target, 'complete')

/** Compiled classes and the jars they need. */
export const classPath = [join(target, 'classes'), join(target, 'libs', '*')].join(delimiter)

/** Builds the Java module with Maven, unless what is there is newer than every source. */
export function provideJavaModule(): void {
  requireJava()
  if (isUpToDate()) return
  process.stderr.write('Building the recorder with Maven\n')
  rmSync(target, { recursive: true, force: true })
  const goals = ['compile', 'dependency:copy-dependencies', '-DincludeScope=runtime']
  const options = ['-q', '-B', '-f', join(folder, 'pom.xml'), `-DoutputDirectory=${join(target, 'libs')}`]
  const { error, status, stdout, stderr } = spawnSync('mvn', [...options, ...goals], { encoding: 'utf8' })
  if (error) throw new Error('Maven is not installed, and the recorder has to be built once: install Maven 3 (`mvn`)')
  if (status !== 0) throw new Error(`Maven could not build the recorder:\n${stdout}${stderr}`)
  writeFileSync(complete, '')
}

function requireJava(): void {
  const { error, stderr } = spawnSync('java', ['-version'], { encoding: 'utf8' })
  if (error) throw new Error('Java is not installed, and Kafka Streams runs on it: install Java 17 or newer (`java`)')
  const major = Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0)
  if (major < 17) throw new Error(`The recorder needs Java 17 or newer, found ${major}`)
}

function isUpToDate(): boolean {
  if (!existsSync(complete)) return false
  const builtMs = statSync(complete).mtimeMs
  const sources = readdirSync(join(folder, 'src'), { recursive: true, encoding: 'utf8' })
  return ['pom.xml', ...sources.map((source) => join('src', source))].every(
    (path) => statSync(join(folder, path)).mtimeMs <= builtMs,
  )
}
