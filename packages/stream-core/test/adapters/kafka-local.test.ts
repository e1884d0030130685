import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { runJava, startLocalKafka } from '../../../../scripts/local-kafka.ts'
import { kafkaBroker } from '../../src/kafka.ts'

/** The Kafka that tests run on (scripts/local-kafka.ts). */

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    // One that nobody has waited for is dead all the same.
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return false
  }
}

test('three brokers are one cluster, in which each can be stopped, killed and started again', async () => {
  const kafka = await startLocalKafka({ brokers: 3 })
  const folder = dirname(kafka.clientProperties)
  const pids = kafka.nodes.map(({ pid }) => pid)
  const broker = kafkaBroker({ bootstrapServers: kafka.bootstrapServers })
  await broker.admin.createTopics([{ topic: 'three', partitions: 3 }])
  const producer = await broker.openProducer()
  const write = async (): Promise<void> => {
    for (const partition of [0, 1, 2]) producer.append('three', partition, null, 'v', Date.now())
    await producer.flush()
  }
  await write()
  await kafka.nodes[0]!.stop('SIGKILL')
  expect(kafka.nodes[0]!.isRunning).toBe(false)
  await write()
  await kafka.nodes[0]!.start()
  await kafka.nodes[1]!.restart()
  await write()
  expect(new Set(kafka.nodes.map(({ pid }) => pid))).not.toContain(pids[0])
  pids.push(...kafka.nodes.map(({ pid }) => pid))
  await broker.close()
  await kafka.stop()
  expect(existsSync(folder)).toBe(false)
  expect(pids.filter(isAlive)).toEqual([])
})

test("Kafka's own tools get in where TLS, certificates and passwords are asked for", async () => {
  const kafka = await startLocalKafka({ tls: 'mutual', sasl: ['SCRAM-SHA-512', 'PLAIN'] })
  const where = ['--bootstrap-server', kafka.bootstrapServers, '--command-config', kafka.clientProperties]
  const child = runJava('org.apache.kafka.tools.TopicCommand', ...where, '--create', '--topic', 'made-by-java')
  let output = ''
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk) => (output += String(chunk)))
  await new Promise((resolve) => child.on('close', resolve))
  expect(output).toContain('Created topic made-by-java')
  await kafka.stop()
})

/** Starts a Kafka in a process and a folder of its own; the process is killed after `ms`, or once Kafka is up. */
async function startAndKill(ms: number | null): Promise<void> {
  const module = JSON.stringify(join(import.meta.dirname, '..', '..', '..', '..', 'scripts', 'local-kafka.ts'))
  const script = `
    const { startLocalKafka } = await import(${module})
    const kafka = await startLocalKafka()
    console.log(kafka.bootstrapServers)`
  const temporary = mkdtempSync(join(tmpdir(), 'killed-starter-'))
  const starter = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR: temporary },
  })
  const isUp = new Promise((resolve) => starter.stdout.once('data', resolve))
  const exited = new Promise((resolve) => starter.once('exit', resolve))
  await (ms === null ? isUp : new Promise((resolve) => setTimeout(resolve, ms)))
  const pids = readdirSync(temporary)
    .map((folder) => join(temporary, folder, 'node-1', 'pid'))
    .filter((file) => existsSync(file))
    .map((file) => Number(readFileSync(file, 'utf8')))
  if (ms === null) expect(pids.filter(isAlive)).toHaveLength(1)
  starter.kill('SIGKILL')
  await exited
  const left = (): unknown[] => [...readdirSync(temporary), ...pids.filter(isAlive)]
  await expect.poll(left, { timeout: 15_000 }).toEqual([])
  // And it stays so: nothing was just being started.
  await new Promise((resolve) => setTimeout(resolve, 3000))
  expect(left()).toEqual([])
  rmdirSync(temporary)
}

test('nothing is left when the starter is killed, whether Kafka is up or on its way', async () => {
  await Promise.all([startAndKill(300), startAndKill(1000)])
  await Promise.all([startAndKill(null), startAndKill(2000)])
})
