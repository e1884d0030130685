import { mkdtempSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openEmbeddedLog } from '../../src/embedded.ts'
import { type Broker, int64, Streams, StreamsBuilder, string, timeWindows, type Topology } from '../../src/index.ts'
import { type GroupDescription, operationsHandler, type OperationsOptions } from '../../src/operations.ts'
import { freePort, get, serve, stop, until } from './support.ts'

const partitions = 4
const words = Array.from({ length: 20 }, (_, i) => `word/${i}`)
let folder: string
let broker: Broker
let closings: (() => Promise<unknown>)[]

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'operations-test-'))
  broker = await openEmbeddedLog({ path: join(folder, 'log.db') })
  await broker.admin.createTopics([{ topic: 'words', partitions }])
  closings = []
})
afterEach(async () => {
  await Promise.all(closings.map((close) => close()))
  await broker.close()
  rmSync(folder, { recursive: true })
})

function topology(): Topology {
  const builder = new StreamsBuilder()
  const grouped = builder.stream('words', { key: string(), value: string() }).groupByKey()
  grouped.count({ store: { name: 'counts' } })
  grouped.windowedBy(timeWindows({ size: 100 })).count({ store: { name: 'per-window', retentionMs: 60_000 } })
  builder.stream('words', { key: string(), value: string() })
  return builder.build()
}

interface Instance {
  readonly streams: Streams
  server: Server
  readonly port: number
  readonly processId: string
}

async function instance(stateDir: string, options: OperationsOptions = {}, replicas = 0): Promise<Instance> {
  const port = await freePort()
  const streams = new Streams({
    topology: topology(),
    applicationId: 'app',
    broker,
    stateDir: join(folder, stateDir),
    commitIntervalMs: 5,
    heartbeatIntervalMs: 100,
    standbyReplicas: replicas,
    endpoint: `127.0.0.1:${port}`,
  })
  const server = await serve(
    port,
    operationsHandler(streams, { freshMs: 0, sampleMs: 100, timeoutMs: 20_000, ...options }),
  )
  await streams.start()
  const made = { streams, server, port, processId: streams.metricsSource.thread!.processId }
  closings.push(
    () => streams.close(),
    () => stop(made.server),
  )
  return made
}

async function write(timestampMs: number): Promise<void> {
  const producer = await broker.openProducer()
  for (const [i, word] of words.entries()) {
    producer.append('words', i % partitions, Buffer.from(word), Buffer.from('x'), timestampMs)
  }
  await producer.flush()
  await producer.close()
}

const described = async ({ port }: Instance, query = ''): Promise<GroupDescription> =>
  JSON.parse((await get(port, `/operations.json${query}`)).text) as GroupDescription

/** Both have tasks, and all tasks run. */
const balanced = async (instances: readonly Instance[]): Promise<void> => {
  await until(async () => {
    for (const one of instances) {
      const { tasks, instances: all } = await described(one)
      expect(tasks.map(({ phase }) => phase)).toEqual(Array(partitions).fill('running'))
      expect(all.map(({ running }) => running)).toEqual(instances.map(() => partitions / instances.length))
    }
  })
}

test('whichever instance is asked shows the whole group: instances, tasks, copies, rates, and what has happened', async () => {
  const [one, two] = [await instance('a', {}, 1), await instance('b', {}, 1)]
  await balanced([one, two])
  await write(1000)
  await until(async () => {
    for (const asked of [one, two]) {
      const group = await described(asked)
      expect(group.askedOf).toBe(asked.processId.slice(0, 8))
      expect(group.instances.map(({ processId }) => processId)).toEqual([one.processId, two.processId].sort())
      expect(group.tasks.map(({ owner }) => owner!).sort()).toEqual(
        [one, one, two, two].map(({ processId }) => processId).sort(),
      )
      for (const task of group.tasks) {
        expect(task).toMatchObject({ lag: 0, lagMs: 0, streamTimeMs: 1000 })
        expect(task.copies).toEqual([{ processId: expect.not.stringMatching(task.owner!), lag: 0 }])
      }
      const [part] = group.subtopologies
      expect(part).toMatchObject({ id: 0, tasks: { running: partitions } })
      const source = part!.nodes.find(({ kind }) => kind === 'source')!
      expect(source).toMatchObject({ topics: ['words'], lag: 0 })
      expect(part!.nodes.filter(({ perSecond }) => perSecond === null)).toEqual([])
      expect(
        group.timeline
          .filter(({ kind }) => kind === 'rebalance')
          .map((event) => event.text)
          .join(),
      ).toMatch(new RegExp(`came: instance ${two.processId.slice(0, 8)}`))
      expect(group.stages.map(({ stage }) => stage)).toContain('commit')
      expect(group.findings).toEqual([expect.objectContaining({ level: 'fine' })])
    }
  })
  const [page, text] = [await get(two.port, '/operations'), await get(two.port, '/operations.txt')]
  for (const { processId } of [one, two]) {
    expect(page.text).toContain(processId.slice(0, 8))
    expect(text.text).toContain(processId.slice(0, 8))
  }
})

test('rates are those of what goes through lately, node by node', async () => {
  const one = await instance('a')
  await until(async () => {
    await write(2000)
    const { subtopologies, instances } = await described(one)
    for (const { perSecond } of subtopologies[0]!.nodes) expect(perSecond).toBeGreaterThan(1)
    expect(instances[0]!.perSecond).toBeGreaterThan(1)
    expect(instances[0]!.history.perSecond.length).toBeGreaterThan(2)
  })
})

test('a key is explained by whoever has it, and what is in the stores only where that is allowed', async () => {
  const [closed, open] = [await instance('a'), await instance('b', { showValues: ['counts'] })]
  await balanced([closed, open])
  await write(1000)
  await write(1050)
  const found = async (asked: Instance, word: string) =>
    (await described(asked, `?store=counts&key=${encodeURIComponent(word)}`)).explained!
  await until(async () => expect((await found(open, 'word/0')).found?.stores[0]?.entries).toHaveLength(1))
  const seen = new Set<string>()
  for (const word of words) {
    for (const asked of [closed, open]) {
      const { owner, partition, taskId, problem, found: findings } = await found(asked, word)
      expect([problem, taskId]).toEqual([null, `0_${partition}`])
      // Records were put where the keys' hash does not lead: a key of this store may be in no partition but its own.
      expect(findings).toMatchObject({ phase: 'running', inputs: [{ topic: 'words', partition, lag: 0 }] })
      const [counts, windows] = findings!.stores
      expect([counts!.store, windows!.store]).toEqual(['counts', 'per-window'])
      expect(counts!.changelog).toMatchObject({ topic: 'app-counts-changelog', partition })
      if (counts!.entries.length === 0) continue
      seen.add(owner!)
      const isOpen = owner === open.processId
      expect(counts!.entries).toEqual([{ window: null, timestampMs: 1050, value: isOpen ? '2' : null }])
      expect(windows!.entries).toEqual([{ window: { start: 1000, end: 1100 }, timestampMs: 1050, value: null }])
    }
  }
  expect(seen.size).toBe(2)
  expect((await found(open, 'nobody')).found!.stores[0]!.entries).toEqual([])
  expect((await described(open, '?store=none&key=x')).explained!.problem).toMatch(/no store "none"/)
  const text = (await get(open.port, '/operations.txt?store=counts&key=word%2F0')).text
  expect(text).toMatch(/Where the key is:[^]*word\/0/)
  expect((await get(open.port, '/operations?store=counts')).status).toBe(400)
  expect((await get(open.port, '/operations/key.json?store=counts&key=x')).status).toBe(404)
})

test('an instance that does not answer is shown with since when and what it said last, and holds nobody up', async () => {
  const [one, two] = [await instance('a', { timeoutMs: 300 }), await instance('b')]
  await balanced([one, two])
  await until(async () => expect((await described(one)).findings[0]!.level).toBe('fine'))
  await stop(two.server)
  let since = 0
  for (const wanted of [/ECONNREFUSED/, /aborted|timeout/]) {
    const { instances, tasks, findings } = await described(one)
    const view = instances.find(({ processId }) => processId === two.processId)!
    expect(view).toMatchObject({
      status: 'silent',
      reason: expect.stringMatching(wanted),
      state: 'running',
      running: 2,
    })
    since ||= view.silentSinceMs!
    expect(view.silentSinceMs).toBe(since)
    expect(view.heardMs).toBeLessThanOrEqual(since)
    expect(tasks.filter(({ phase }) => phase === 'unknown').map(({ owner }) => owner)).toEqual([
      two.processId,
      two.processId,
    ])
    expect(findings[0]).toMatchObject({ level: 'trouble', text: expect.stringContaining('does not answer') })
    for (const path of ['/operations', '/operations.txt']) {
      expect((await get(one.port, path)).text).toContain('did not answer since')
    }
    // It accepts, and says nothing: the second time round.
    if (wanted.source.startsWith('ECONN')) two.server = await serve(two.port, () => undefined)
  }
  await stop(two.server)
  two.server = await serve(two.port, operationsHandler(two.streams))
  await until(async () =>
    expect((await described(one)).instances.map(({ status }) => status)).toEqual(['answers', 'answers']),
  )
})

test('what comes from an address is believed only if it is of the form, and from the instance that was asked', async () => {
  const [one, two] = [await instance('a'), await instance('b')]
  await balanced([one, two])
  const own = JSON.parse((await get(two.port, '/operations/instance.json')).text) as object
  const evil = '<script>alert(1)</script>'
  const answers: readonly (readonly [number, unknown, RegExp])[] = [
    [200, { ...own, processId: one.processId }, /another instance/],
    [200, { ...own, tasks: [{ taskId: evil }] }, /something else/],
    [200, { ...own, v: 2 }, /something else/],
    [200, { ...own, widths: [{ subtopology: 0, partitions: 1e9 }] }, /something else/],
    [200, 'no json', /JSON/],
    [404, { detail: evil }, /answers 404/],
  ]
  for (const [status, body, wanted] of answers) {
    await stop(two.server)
    two.server = await serve(two.port, (_request, response) => {
      response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body))
    })
    const { instances } = await described(one)
    expect(instances.find(({ processId }) => processId === two.processId)).toMatchObject({
      status: 'silent',
      reason: expect.stringMatching(wanted),
    })
    expect((await get(one.port, '/operations')).text).not.toContain(evil)
  }
  await stop(two.server)
  two.server = await serve(two.port, (_request, response) => {
    response.end(JSON.stringify({ ...own, error: evil, state: evil, facts: [{ name: evil, value: evil }] }))
  })
  const { text } = await get(one.port, '/operations')
  expect(text).not.toContain(evil)
  expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
})

test('an instance that leaves hands its tasks over: the timeline says who left, and what was taken over', async () => {
  const [one, two] = [await instance('a'), await instance('b')]
  await balanced([one, two])
  await write(1000)
  await until(async () =>
    expect((await described(one)).tasks.every(({ streamTimeMs }) => streamTimeMs === 1000)).toBe(true),
  )
  await two.streams.close()
  await until(async () => {
    const { timeline, instances, tasks } = await described(one)
    const events = timeline.map(({ kind, text }) => `${kind}: ${text}`)
    expect(events).toContainEqual(
      expect.stringMatching(`rebalance: .*left: instance ${two.processId.slice(0, 8)}; taken over: 2 \\(0:`),
    )
    expect(events).toContainEqual(expect.stringMatching(/^restored: task 0_\d has its state: [1-9]/))
    expect(tasks.map(({ owner }) => owner)).toEqual(Array(partitions).fill(one.processId))
    expect(instances.find(({ processId }) => processId === two.processId)).toMatchObject({ status: 'gone' })
    expect((await described(one)).findings[0]!.text).toBe('All 4 tasks run on 1 instance, and nothing waits for long')
  })
})

test('it only reads, for whom it may, at its path, with nothing from elsewhere; and not for everybody at once', async () => {
  const passed: string[] = []
  const one = await instance('a', { path: '/ops/page', authorize: ({ headers }) => headers['x-who'] !== 'nobody' })
  const ask = (path: string, headers = {}, method = 'GET') => get(one.port, path, headers, method)
  const { status, headers } = await ask('/ops/page')
  expect(status).toBe(200)
  const policy = String(headers['content-security-policy'])
  expect(policy).toMatch(/^default-src 'none'; script-src 'sha256-[^' ]+'; style-src 'sha256-[^' ]+'; /)
  expect(policy).not.toMatch(/unsafe|https?:|\*/)
  expect(policy).toMatch(/frame-ancestors 'none'/)
  expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
  for (const [path, wanted, given, method] of [
    ['/ops/page', 405, {}, 'POST'],
    ['/ops/page', 403, { 'x-who': 'nobody' }],
    ['/ops/page/instance.json', 403, { 'x-who': 'nobody' }],
    ['/ops/pages', 404],
    ['/ops/page/nothing', 404],
    ['/operations', 404],
    ['/ops/page?refresh=1', 400],
    ['/ops/page?refresh=10', 200],
    ['/ops/page', 200, {}, 'HEAD'],
    ['/ops/page/topology.txt', 200],
    ['/ops/page/topology.mmd', 200],
  ] as const) {
    expect([path, (await ask(path, given, method)).status]).toEqual([path, wanted])
  }
  const server = await serve(await freePort(), (request, response) =>
    operationsHandler(one.streams)(request, response, () => {
      passed.push(request.url!)
      response.end('else')
    }),
  )
  closings.push(() => stop(server))
  const { port } = server.address() as { port: number }
  expect((await get(port, '/livez')).text).toBe('else')
  expect((await get(port, '/operations.txt')).status).toBe(200)
  expect(passed).toEqual(['/livez'])
})

test('more than a few questions at a time are refused, while an instance that hangs is waited for', async () => {
  const [one, two] = [await instance('a'), await instance('b')]
  await balanced([one, two])
  await stop(two.server)
  two.server = await serve(two.port, () => undefined)
  const statuses: number[] = []
  const asked = Array.from({ length: 40 }, async (_, i) => {
    const { status, headers } = await get(one.port, `/operations.json?store=counts&key=${i}`)
    statuses.push(status)
    expect(headers['retry-after']).toBe(status === 503 ? '1' : undefined)
  })
  await until(async () => expect(statuses).toEqual(Array(24).fill(503)))
  const letGo = setInterval(() => two.server.closeAllConnections(), 20)
  await Promise.all(asked)
  clearInterval(letGo)
  expect(statuses.slice(24)).toEqual(Array(16).fill(200))
})

test('keys that are numbers are read as such, and what is none is told', async () => {
  const builder = new StreamsBuilder()
  builder.table('words', { key: int64(), value: string(), store: { name: 'by-number' } })
  const streams = new Streams({ topology: builder.build(), applicationId: 'n', broker, stateDir: join(folder, 'n') })
  const server = await serve(await freePort(), operationsHandler(streams, { showValues: true }))
  closings.push(
    () => streams.close(),
    () => stop(server),
  )
  const { port } = server.address() as { port: number }
  const before = JSON.parse((await get(port, '/operations.json')).text) as GroupDescription
  expect(before.findings[0]).toMatchObject({ level: 'attention', text: expect.stringContaining('is created') })
  await streams.start()
  const ask = async (key: string) =>
    (JSON.parse((await get(port, `/operations.json?store=by-number&key=${key}`)).text) as GroupDescription).explained!
  expect((await ask('x')).problem).toMatch(/"x" is no key/)
  expect(await ask('7')).toMatchObject({ problem: null, found: { stores: [{ store: 'by-number', entries: [] }] } })
})
