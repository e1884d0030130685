import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LocalKafka, startLocalKafka } from '../../../../scripts/local-kafka.ts'
import { type Broker, Streams, StreamsBuilder, string } from '../../src/index.ts'
import { kafkaBroker, type KafkaBrokerOptions } from '../../src/kafka.ts'

/** Nothing may keep a program alive that has closed its broker: no socket, no timer, no member of a group. */
interface Run {
  readonly code: number | null
  /** How long it took to close, and to end after that. */
  readonly closingMs: number
  readonly endingMs: number
}

async function run(options: KafkaBrokerOptions, topic: string, whenOpen?: () => Promise<void>): Promise<Run> {
  const program = [join(import.meta.dirname, 'closing-program.ts'), JSON.stringify(options), topic]
  if (whenOpen !== undefined) program.push('after-outage')
  const child = spawn(process.execPath, program, { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = new Promise<number | null>((resolve) => child.on('exit', resolve))
  const said = new Map<string, () => void>()
  const saying = ['open', 'closed'].map((word) => new Promise<void>((resolve) => said.set(word, resolve)))
  child.stdout.on('data', (chunk) => {
    for (const word of String(chunk).trim().split('\n')) said.get(word)?.()
  })
  await Promise.race([saying[0], exited])
  if (whenOpen !== undefined) await whenOpen()
  child.stdin.end()
  const openMs = Date.now()
  await Promise.race([saying[1], exited])
  const closedMs = Date.now()
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000)
  const code = await exited
  clearTimeout(timer)
  return { code, closingMs: closedMs - openMs, endingMs: Date.now() - closedMs }
}

describe.each([
  ['TLS and passwords', true],
  ['neither TLS nor passwords', false],
])('with %s', (_name, isSecure) => {
  let kafka: LocalKafka
  let broker: Broker
  let options: KafkaBrokerOptions

  beforeAll(async () => {
    kafka = await startLocalKafka(
      isSecure
        ? {
            tls: true,
            sasl: ['PLAIN'],
            properties: { 'listener.name.client.plain.connections.max.reauth.ms': '60000' },
          }
        : {},
    )
    options = {
      bootstrapServers: kafka.bootstrapServers,
      ...(isSecure && {
        tls: { ca: kafka.tls!.ca },
        sasl: { mechanism: 'PLAIN', username: 'alice', password: 'alice-secret' },
      }),
    }
    broker = kafkaBroker(options)
    await broker.admin.createTopics(['closing', 'outage', 'closed-under'].map((topic) => ({ topic, partitions: 1 })))
  })
  afterAll(async () => {
    await broker.close()
    await kafka.stop()
  })

  test('an application whose broker was closed under it says so, and lets the process go on', async () => {
    const builder = new StreamsBuilder()
    const names = builder.globalTable('closing', { key: string(), value: string(), store: { name: 'names' } })
    builder
      .table('closed-under', { key: string(), value: string(), store: { name: 'values' } })
      .toStream()
      .join(names, (value, name) => value + name, { mapKey: (key) => key })
    const stateDir = mkdtempSync(join(tmpdir(), 'closing-test-'))
    const own = kafkaBroker(options)
    const streams = new Streams({ topology: builder.build(), applicationId: 'closed-under', broker: own, stateDir })
    await streams.start()
    await own.close()
    expect(await streams.stopped).toMatchObject({ code: 'BROKER_UNAVAILABLE' })
    rmSync(stateDir, { recursive: true })
  })

  test('a program that has closed everything ends by itself', async () => {
    const { code, closingMs, endingMs } = await run(options, 'closing')
    expect(code).toBe(0)
    expect(closingMs).toBeLessThan(5000)
    expect(endingMs).toBeLessThan(2000)
    // Closing aborts what was left open, so that readers need not wait for its timeout.
    await expect
      .poll(() => broker.admin.listOffsets([{ topic: 'closing', partition: 0 }], 'latest-stable'))
      .toEqual([2])
  })

  test('a program whose brokers are gone closes and ends too', async () => {
    const { code, closingMs, endingMs } = await run(options, 'outage', async () => {
      await kafka.nodes[0]!.stop('SIGKILL')
      await new Promise((resolve) => setTimeout(resolve, 1000))
    })
    expect(code).toBe(0)
    expect(closingMs).toBeLessThan(12_000)
    expect(endingMs).toBeLessThan(2000)
    await kafka.nodes[0]!.start()
  })
})
