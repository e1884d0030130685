import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const tools = join(import.meta.dirname, '..', '..', '.tools')
const pom = join(import.meta.dirname, 'pom.xml')

/** The version that pom.xml names; tests of old versions name their own. */
export const kafkaVersion = /<kafka\.version>(.*)<\/kafka\.version>/.exec(readFileSync(pom, 'utf8'))![1]!

const folderOf = (version: string): string =>
  join(tools, version === kafkaVersion ? 'kafka-libs' : `kafka-libs-${version}`)

/** Why a broker cannot be started here; null when it can. */
export function kafkaAvailable(version = kafkaVersion): string | null {
  const java = spawnSync('java', ['-version'], { encoding: 'utf8' })
  if (java.error) return 'Java is not installed: Kafka needs Java 17'
  const major = Number(/version "(\d+)/.exec(java.stderr)?.[1] ?? 0)
  if (major < 17) return `Kafka needs Java 17, found ${major}`
  if (!isComplete(version) && spawnSync('mvn', ['-version']).error)
    return 'Maven is not installed: it brings the jars of Kafka'
  return null
}

const isComplete = (version: string): boolean => {
  const mark = join(folderOf(version), '.complete')
  return existsSync(mark) && readFileSync(mark, 'utf8') === readFileSync(pom, 'utf8')
}

/** Copies the jars of a version, once; two processes may come at once. */
export async function provideJars(version: string, log: (text: string) => void): Promise<void> {
  const libs = folderOf(version)
  const lock = `${libs}.lock`
  while (!isComplete(version)) {
    mkdirSync(tools, { recursive: true })
    try {
      mkdirSync(lock)
    } catch {
      if (isAbandoned(lock)) rmSync(lock, { recursive: true, force: true })
      else await new Promise((resolve) => setTimeout(resolve, 500))
      continue
    }
    try {
      writeFileSync(join(lock, 'pid'), String(process.pid))
      log(`Getting the jars of Kafka ${version} by Maven (once)`)
      rmSync(libs, { recursive: true, force: true })
      const plugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies'
      const settings = [`-Dkafka.version=${version}`, `-DoutputDirectory=${libs}`]
      const done = spawnSync('mvn', ['-q', '-B', '-f', pom, plugin, ...settings], { encoding: 'utf8' })
      if (done.status !== 0) throw new Error(`Maven could not get Kafka's jars:\n${done.stdout}${done.stderr}`)
      writeFileSync(join(libs, '.complete'), readFileSync(pom, 'utf8'))
    } finally {
      rmSync(lock, { recursive: true, force: true })
    }
  }
}

/** Whoever holds the lock was killed. */
function isAbandoned(lock: string): boolean {
  try {
    process.kill(Number(readFileSync(join(lock, 'pid'), 'utf8')), 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

export const classPath = (version: string): string =>
  readdirSync(folderOf(version))
    .filter((name) => name.endsWith('.jar'))
    .map((name) => join(folderOf(version), name))
    .join(':')

/** Runs one of Kafka's own Java programs, or a Java file; the child is the caller's to end. */
export function runJava(...command: string[]): ChildProcess {
  const flags = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:-UsePerfData']
  return spawn('java', [...flags, '-cp', classPath(kafkaVersion), ...command], { stdio: ['pipe', 'pipe', 'pipe'] })
}
