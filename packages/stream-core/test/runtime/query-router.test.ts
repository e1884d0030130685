import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, request, type Server } from 'node:http'
import { createServer as createTlsServer, request as tlsRequest } from 'node:https'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openEmbeddedLog } from '../../src/embedded.ts'
import {
  type Broker,
  int64Big,
  json,
  partitionForKey,
  sessionWindows,
  Streams,
  StreamsBuilder,
  string,
  timeWindows,
  type Topology,
} from '../../src/index.ts'
import { queryRouter, type QueryRouterOptions } from '../../src/queries.ts'
import { eventually } from '../support/log-records.ts'
import { selfSigned } from '../support/self-signed.ts'

const partitions = 4
const words = Array.from({ length: 20 }, (_, i) => `word/${i}`)
let folder: string
let broker: Broker
let closings: (() => Promise<unknown>)[]

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'router-test-'))
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
  grouped.count({ store: { name: 'secret' } })
  grouped.aggregate({
    init: () => 0n,
    add: (sum: bigint) => sum + 2n ** 60n,
    store: { name: 'big', value: int64Big() },
  })
  grouped.windowedBy(timeWindows({ size: 100 })).count({ store: { name: 'per-window', retentionMs: 60_000 } })
  grouped.windowedBy(sessionWindows({ gap: 50 })).count({ store: { name: 'per-session', retentionMs: 60_000 } })
  grouped.reduce((_a, b) => b, { store: { name: 'latest', versioned: { historyRetentionMs: 60_000 } } })
  return builder.build()
}

const stores: QueryRouterOptions['stores'] = {
  counts: { scans: true },
  big: {},
  'per-window': { scans: true },
  'per-session': { scans: true },
  latest: {},
}

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

interface Instance {
  readonly streams: Streams
  readonly server: Server
  readonly port: number
}

async function instance(
  stateDir: string,
  router: Partial<QueryRouterOptions> = {},
  standbyReplicas = 0,
  tls: { readonly key: string; readonly cert: string } | null = null,
): Promise<Instance> {
  const port = await freePort()
  const streams = new Streams({
    topology: topology(),
    applicationId: 'router',
    broker,
    stateDir: join(folder, stateDir),
    commitIntervalMs: 5,
    heartbeatIntervalMs: 100,
    standbyReplicas,
    endpoint: `127.0.0.1:${port}`,
  })
  const listener = queryRouter(streams, { stores, ...router })
  const server = (tls === null ? createServer(listener) : createTlsServer(tls, listener)).listen(port, '127.0.0.1')
  closings.push(
    () => streams.close(),
    () => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve))),
  )
  await streams.start()
  return { streams, server, port }
}

interface Answer {
  readonly status: number
  readonly type: string
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any
}

function get(
  { port }: { readonly port: number },
  path: string,
  headers = {},
  method = 'GET',
  ca: string | null = null,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const send = ca === null ? request : tlsRequest
    const sent = send({ port, path, headers, method, host: '127.0.0.1', ...(ca && { ca }) }, (response) => {
      let text = ''
      response.on('data', (part) => (text += part))
      response.on('end', () =>
        resolve({
          status: response.statusCode!,
          type: String(response.headers['content-type']),
          body: text && JSON.parse(text),
        }),
      )
    })
    sent.on('error', reject)
    sent.end()
  })
}

async function write(timestampMs: number, value: string): Promise<void> {
  const producer = await broker.openProducer()
  for (const word of words) {
    const key = Buffer.from(word)
    producer.append('words', partitionForKey(key, partitions), key, Buffer.from(value), timestampMs)
  }
  await producer.flush()
  await producer.close()
}

const path = (word: string, store = 'counts', rest = ''): string =>
  `/stores/${store}/keys/${encodeURIComponent(word)}${rest}`
const isShared = (...all: readonly Instance[]): boolean =>
  all.every(({ streams }) => streams.state === 'running' && streams.metadataForStore('counts').length === all.length)

async function twoWithCounts(router: Partial<QueryRouterOptions> = {}, standbys = 0): Promise<[Instance, Instance]> {
  const both: [Instance, Instance] = [await instance('a', router, standbys), await instance('b', router, standbys)]
  await write(1000, 'x')
  await write(1120, 'y')
  await eventually('both have half, and all is counted', async () => {
    if (!isShared(...both)) return false
    const { status, body } = await get(both[0], '/stores/counts/keys')
    return (
      status === 200 &&
      body.entries.length === words.length &&
      body.entries.every((one: { value: number }) => one.value === 2)
    )
  })
  return both
}

test('any instance answers for every key, and for all of them in their order', async () => {
  const both = await twoWithCounts()
  for (const one of both) {
    for (const word of words) {
      expect((await get(one, path(word))).body).toEqual({ store: 'counts', key: word, value: 2, timestampMs: 1120 })
    }
    const keys = async (query: string) => {
      const { body } = await get(one, `/stores/counts/keys?${query}`)
      return [body.entries.map(({ key }: { key: string }) => key), body.isTruncated]
    }
    const sorted = words.toSorted()
    expect(await keys('')).toEqual([sorted, false])
    expect(await keys('limit=7')).toEqual([sorted.slice(0, 7), true])
    expect(await keys('reverse=true&limit=3')).toEqual([sorted.toReversed().slice(0, 3), true])
    expect(await keys('from=word/12&to=word/14')).toEqual([['word/12', 'word/13', 'word/14'], false])
    expect(await keys('prefix=word/1')).toEqual([sorted.filter((word) => word.startsWith('word/1')), false])
    expect((await get(one, path('word/1', 'per-window', '/windows'))).body.entries).toEqual([
      { key: 'word/1', window: { start: 1000, end: 1100 }, value: 1, timestampMs: 1000 },
      { key: 'word/1', window: { start: 1100, end: 1200 }, value: 1, timestampMs: 1120 },
    ])
    expect((await get(one, path('word/1', 'per-window', '/windows/1100'))).body).toMatchObject({
      value: 1,
      window: { start: 1100 },
    })
    expect((await get(one, '/stores/per-window/windows?from=1100')).body.entries).toHaveLength(20)
    expect((await get(one, path('word/1', 'per-session', '/sessions'))).body.entries).toHaveLength(2)
    expect((await get(one, '/stores/per-session/sessions')).body.entries).toHaveLength(40)
    expect((await get(one, path('word/1', 'latest', '?asOf=1050'))).body).toMatchObject({ value: 'x', validToMs: 1120 })
    expect((await get(one, path('word/1', 'latest', '/versions'))).body.entries).toHaveLength(2)
    expect((await get(one, path('word/1', 'big'))).body.value).toBe(String(2n ** 61n))
    expect(await get(one, path('nobody'))).toMatchObject({
      status: 404,
      body: { type: 'urn:stream-core:problem:key-not-found' },
    })
  }
})

test('what is not served, not a query or not well-formed is refused, in problem details', async () => {
  const one = await instance('a')
  const refused: readonly (readonly [string, number, object?, string?])[] = [
    ['/stores/secret/keys/x', 404],
    ['/stores/none/keys/x', 404],
    ['/stores/constructor/keys/x', 404],
    ['/stores/counts/values', 404],
    ['/', 404],
    ['/stores/counts/keys/x', 405, {}, 'POST'],
    ['/stores/counts/keys/x', 405, {}, 'DELETE'],
    ['/stores/counts/keys/%zz', 400],
    ['/stores/counts/keys/x?what=1', 400],
    ['/stores/counts/keys?limit=0', 400],
    ['/stores/counts/keys?limit=1001', 400],
    ['/stores/counts/keys?limit=-1', 400],
    ['/stores/counts/keys?reverse=yes', 400],
    ['/stores/counts/keys?partitions=0', 400],
    ['/stores/counts/keys?partitions=99', 400, { 'x-stream-core-forwarded': '1' }],
    ['/stores/counts/keys', 400, { 'x-stream-core-forwarded': '1' }],
    ['/stores/counts/keys/x/windows', 409],
    ['/stores/big/keys', 403],
    ['/stores/counts/keys/x?stale=true', 403],
  ]
  for (const [url, status, headers, method] of refused) {
    const answer = await get(one, url, headers, method)
    expect([url, answer.status, answer.body.status, answer.type]).toEqual([
      url,
      status,
      status,
      'application/problem+json',
    ])
  }
  expect((await get(one, '/stores')).body.stores.map(({ name }: { name: string }) => name)).toEqual(Object.keys(stores))
  const closed = await instance('b', { authorize: ({ headers }) => headers.authorization === 'yes' })
  expect((await get(closed, path('x'))).status).toBe(403)
  expect((await get(closed, '/stores', { authorization: 'yes' })).status).toBe(200)
  expect(() => queryRouter(one.streams, { stores: { counted: {} } })).toThrow('there is no store "counted"')
  expect(() => queryRouter(one.streams, { stores: {} })).toThrow('must name the stores')
  expect(() => queryRouter(one.streams, { stores, cors: true } as never)).toThrow('no option "cors"')
})

test('while instances come and go, an answer is right or 503; copies answer when they may', async () => {
  const [first, second] = await twoWithCounts({ allowStale: true, timeoutMs: 500 }, 1)
  await eventually('copies are complete', async () =>
    (await Promise.all([first, second].map(({ streams }) => streams.allLocalStoreLags())))
      .flat()
      .every(({ lag }) => lag === 0),
  )
  // Its application goes on, but nobody hears it any more.
  second.server.closeAllConnections()
  await new Promise((resolve) => second.server.close(resolve))
  const theirs = words.find((word) => !first.streams.metadataForKey('counts', word).active!.isLocal)!
  expect(await get(first, path(theirs))).toMatchObject({
    status: 503,
    body: { type: 'urn:stream-core:problem:store-not-available' },
  })
  expect((await get(first, '/stores/counts/keys')).status).toBe(503)
  expect((await get(first, path(theirs, 'counts', '?stale=true'))).body).toMatchObject({ value: 2 })
  expect((await get(first, '/stores/counts/keys?stale=true')).body.entries).toHaveLength(20)

  let isOver = false
  const seen = new Set<number>()
  const asking = (async () => {
    for (let i = 0; !isOver; i++) {
      const { status, body } = await get(first, path(words[i % words.length]!))
      seen.add(status)
      if (status === 200) expect(body.value).toBe(2)
      else expect(status).toBe(503)
      const all = await get(first, '/stores/counts/keys')
      if (all.status === 200) expect(all.body.entries).toHaveLength(20)
      else expect(all.status).toBe(503)
    }
  })()
  const third = await instance('c', { allowStale: true }, 1)
  await second.streams.close()
  await eventually('two are left', () => isShared(first, third))
  await eventually('all answers come', async () => (await get(third, '/stores/counts/keys')).status === 200)
  isOver = true
  await asking
  expect(seen).toContain(200)
})

test('a request that was forwarded is not forwarded again', async () => {
  const [first] = await twoWithCounts()
  const theirs = words.find((word) => !first.streams.metadataForKey('counts', word).active!.isLocal)!
  expect((await get(first, path(theirs))).status).toBe(200)
  expect((await get(first, path(theirs), { 'x-stream-core-forwarded': '1' })).status).toBe(503)
})

test('keys and values look as they are told to', async () => {
  const one = await instance('a', {
    stores: {
      counts: {
        scans: true,
        keyFromText: (text) => `word/${text}`,
        valueToJson: (value: number) => ({ count: value }),
      },
    },
  })
  await write(1, 'x')
  await eventually('it is counted', async () => (await get(one, '/stores/counts/keys/3')).status === 200)
  expect((await get(one, '/stores/counts/keys/3')).body).toMatchObject({ key: 'word/3', value: { count: 1 } })
  expect(() => {
    const builder = new StreamsBuilder()
    builder.table('words', { key: { ...json<object>(), name: 'mine' }, value: string(), store: { name: 'own' } })
    const streams = new Streams({ topology: builder.build(), applicationId: 'x', broker })
    queryRouter(streams, { stores: { own: {} } })
  }).toThrow('written by mine: say how they are read from a URL')
})

test('instances ask each other by HTTPS, and believe only whom they are told to', async () => {
  const tls = selfSigned()
  const forward = { protocol: 'https:', ca: tls.cert }
  const all = [await instance('a', { forward }, 0, tls), await instance('b', { forward }, 0, tls)] as const
  await write(1000, 'x')
  await eventually('both have half', () => isShared(...all))
  const ask = (from: number, text: string) => get(all[from]!, text, {}, 'GET', tls.cert)
  for (const from of [0, 1]) {
    await eventually('all is counted', async () => (await ask(from, '/stores/counts/keys')).body.entries?.length === 20)
    for (const word of words) expect(await ask(from, path(word))).toMatchObject({ status: 200, body: { value: 1 } })
  }
  // One that does not know the certificate gets no answer from the others, and gives none.
  const stranger = await instance('c', { forward: { protocol: 'https:' } }, 0, tls)
  await eventually('three share', () => isShared(all[0], all[1], stranger))
  await eventually('what is elsewhere is refused', async () => {
    const theirs = words.filter((word) => !stranger.streams.metadataForKey('counts', word).active?.isLocal)
    const answers = await Promise.all(theirs.map((word) => get(stranger, path(word), {}, 'GET', tls.cert)))
    return answers.length > 0 && answers.every(({ status }) => status === 503)
  })
})

test('one reads what one has written: an answer has seen the inputs as far as is asked for', async () => {
  const [first, second] = await twoWithCounts()
  const word = words[3]!
  const partition = partitionForKey(Buffer.from(word), partitions)
  for (let round = 3; round < 8; round++) {
    const producer = await broker.openProducer()
    producer.append('words', partition, word, 'again', 2000)
    await producer.flush()
    const bound = `?atLeast=words:${partition}:${producer.nextOffset('words', partition)}`
    await producer.close()
    for (const from of [first, second]) {
      let answer = await get(from, path(word, 'counts', bound))
      while (answer.status === 503) answer = await get(from, path(word, 'counts', bound))
      expect(answer).toMatchObject({ status: 200, body: { value: round } })
    }
  }
  const [end] = await broker.admin.listOffsets([{ topic: 'words', partition }], 'latest')
  const own = [first, second].find(({ streams }) => streams.metadataForKey('counts', word).active!.isLocal)!.streams
  const upTo = (offset: number, topic = 'words', at = partition) =>
    own.store('counts', { kind: 'keyValue', key: string(), atLeast: [{ topic, partition: at, offset }] })
  expect(upTo(end!).get(word)).toBe(7)
  // Other partitions have nothing to do with this key.
  expect(upTo(1e9, 'words', (partition + 1) % partitions).get(word)).toBe(7)
  expect(() => upTo(end! + 1).get(word)).toThrow(
    `has not seen all below offset ${end! + 1} of words partition ${partition}: it was read up to ${end}`,
  )
  expect(() => upTo(0, 'others').get(word)).toThrow('is fed from "words": it does not say how far "others" ')
  expect(() => upTo(-1)).toThrow('atLeast must be a list of { topic, partition, offset }')
  expect((await get(first, path(word, 'counts', '?atLeast=words'))).status).toBe(400)
  expect((await get(first, path(word, 'counts', '?atLeast=others:0:1'))).status).toBe(400)
  expect((await get(first, path(word, 'counts', '?atLeast=words:99:1'))).status).toBe(400)
})
