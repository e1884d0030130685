import { afterEach, beforeEach, expect, test, vi } from 'vitest'

/** The page's own script: it has no types but its comments. */
interface LiveModule {
  readonly connectLive: (options: { readonly [name: string]: unknown }) => { subscribe(isAnew?: boolean): void }
}
const script: string = '../public/live.js'
const { connectLive } = (await import(script)) as LiveModule

/** A browser's WebSocket whose other end is the test: breaks and silences at will. Time is the test's too. */
class FakeSocket {
  static readonly OPEN = 1
  static readonly all: FakeSocket[] = []
  readonly protocol: string
  readonly sent: Record<string, unknown>[] = []
  readyState = 0
  onopen: () => void = () => undefined
  onmessage: (event: { data: string }) => void = () => undefined
  onclose: () => void = () => undefined

  constructor(_url: URL, protocol: string) {
    this.protocol = protocol
    FakeSocket.all.push(this)
  }
  send(text: string): void {
    this.sent.push(JSON.parse(text) as Record<string, unknown>)
  }
  close(): void {
    if (this.readyState === 3) return
    this.readyState = 3
    this.onclose()
  }
  open(): void {
    this.readyState = FakeSocket.OPEN
    this.onopen()
  }
  say(frame: object): void {
    this.onmessage({ data: JSON.stringify(frame) })
  }
}

const newest = (): FakeSocket => FakeSocket.all.at(-1)!
const page = { hidden: false, listeners: new Map<string, () => void>() }
const asked: string[] = []
let states: string[]
let seen: Record<string, unknown>[]
let isServed: boolean

beforeEach(() => {
  vi.useFakeTimers()
  FakeSocket.all.length = 0
  page.hidden = false
  page.listeners.clear()
  asked.length = 0
  states = []
  seen = []
  isServed = true
  const addEventListener = (name: string, listener: () => void) => page.listeners.set(name, listener)
  vi.stubGlobal('WebSocket', FakeSocket)
  vi.stubGlobal('location', { href: 'http://viewer.example/p/which', protocol: 'http:' })
  vi.stubGlobal('navigator', { onLine: true })
  vi.stubGlobal('document', Object.assign(page, { addEventListener }))
  vi.stubGlobal('addEventListener', addEventListener)
  vi.stubGlobal('fetch', async (path: string) => {
    asked.push(path)
    return { ok: isServed, status: isServed ? 200 : 503, headers: new Headers(), json: async () => answerTo(path) }
  })
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

const counts = { a: 3, b: 1 }
function answerTo(path: string): object {
  if (path.includes('/trends')) {
    const start = ['2026-05-03T08:00:00.000Z', '2026-05-03T08:00:01.000Z']
    return { window: '1s', start, counts: { a: [1, 2], b: [0, 1] } }
  }
  return {
    poll: 'p1',
    status: 'open',
    asOf: '2026-05-03T08:00:01.000Z',
    closesAt: '2026-05-03T18:00:00.000Z',
    epoch: 7,
    version: 4,
    voters: 4,
    totals: counts,
    regions: { north: counts },
    accounting: { recorded: 4, accepted: 4, superseded: 0, rejected: 0, duplicates: 0 },
  }
}

function connect() {
  const note = (frame: object) => seen.push(frame as Record<string, unknown>)
  return connectLive({
    poll: 'p1',
    res: () => '1s',
    since: () => 1000,
    onFrame: note,
    onState: (state: string) => states.push(state),
  })
}

/** A page that shows version 4. */
function connectAndSee() {
  const live = connect()
  newest().open()
  newest().say({ t: 'hello', hb: 10_000 })
  newest().say({ t: 'snap', epoch: 7, ver: 4 })
  return live
}

test('after a break the page resumes with what it shows, and goes on from there', async () => {
  connectAndSee()
  expect(newest().protocol).toBe('tally.v1')
  expect(newest().sent).toEqual([{ op: 'sub', poll: 'p1', trend: { res: '1s', since: 1000 } }])
  newest().close()
  expect(states.at(-1)).toBe('broken')
  await vi.advanceTimersByTimeAsync(2000)
  newest().open()
  expect(newest().sent).toEqual([{ op: 'sub', poll: 'p1', epoch: 7, ver: 4, trend: { res: '1s', since: 1000 } }])
  expect(states.at(-1)).toBe('live')
  newest().say({ t: 'd', epoch: 7, from: 4, ver: 6 })
  newest().say({ t: 'd', epoch: 7, from: 4, ver: 6 })
  expect(seen.flatMap(({ ver }) => ver ?? [])).toEqual([4, 6])
})

test('a heartbeat that names a newer version makes the page ask for what it has missed', () => {
  connectAndSee()
  newest().say({ t: 'h', v: { p1: 4 } })
  // It acknowledges each, and has missed nothing yet.
  expect(newest().sent.map(({ op }) => op)).toEqual(['sub', 'ack'])
  newest().say({ t: 'h', v: { p1: 5 } })
  expect(newest().sent.slice(2)).toMatchObject([{ op: 'ack' }, { op: 'sub', epoch: 7, ver: 4 }])
})

test('a change that does not fit makes the page ask for everything, once', () => {
  connectAndSee()
  newest().say({ t: 'd', epoch: 7, from: 6, ver: 7 })
  newest().say({ t: 'd', epoch: 7, from: 7, ver: 8 })
  expect(newest().sent).toHaveLength(2)
  expect(newest().sent[1]).not.toHaveProperty('ver')
})

test('where WebSockets are blocked the page looks by HTTP after three tries, and still tries them', async () => {
  connect()
  for (let tries = 1; tries <= 3; tries++) {
    expect(FakeSocket.all).toHaveLength(tries)
    newest().close()
    if (tries < 3) await vi.advanceTimersByTimeAsync(2000 * 2 ** tries)
  }
  await vi.advanceTimersByTimeAsync(0)
  expect(states.at(-1)).toBe('polling')
  expect(asked).toEqual(['/api/polls/p1/results', '/api/polls/p1/trends?window=1s&from=1970-01-01T00:00:01.000Z'])
  expect(seen).toMatchObject([
    {
      epoch: 7,
      ver: 4,
      voters: 4,
      o: [
        ['a', 3],
        ['b', 1],
      ],
      acc: [4, 4, 0, 0, 0],
      closes: Date.parse('2026-05-03T18:00:00.000Z'),
      trend: {
        res: '1s',
        t0: Date.parse('2026-05-03T08:00:00.000Z'),
        step: 1000,
        cols: [
          [1, 2],
          [0, 1],
        ],
      },
    },
  ])
  await vi.advanceTimersByTimeAsync(6000)
  expect(seen).toHaveLength(2)
  isServed = false
  await vi.advanceTimersByTimeAsync(6000)
  expect(states.at(-1)).toBe('broken')
  isServed = true
  await vi.advanceTimersByTimeAsync(48_000)
  expect(FakeSocket.all).toHaveLength(4)
  newest().open()
  expect(newest().sent[0]).toMatchObject({ epoch: 7, ver: 4 })
  const before = asked.length
  await vi.advanceTimersByTimeAsync(20_000)
  expect(asked).toHaveLength(before)
})

test('a page that nobody has looked at for a minute closes its socket, and resumes when somebody does', async () => {
  connectAndSee()
  const look = (isHidden: boolean): void => {
    page.hidden = isHidden
    page.listeners.get('visibilitychange')!()
  }
  const beat = setInterval(() => newest().say({ t: 'h' }), 5000)
  look(true)
  await vi.advanceTimersByTimeAsync(59_000)
  look(false)
  look(true)
  await vi.advanceTimersByTimeAsync(59_000)
  expect(newest().readyState).toBe(FakeSocket.OPEN)
  await vi.advanceTimersByTimeAsync(2000)
  expect(newest().readyState).toBe(3)
  await vi.advanceTimersByTimeAsync(600_000)
  expect([FakeSocket.all.length, asked.length]).toEqual([1, 0])
  look(false)
  await vi.advanceTimersByTimeAsync(1000)
  expect(FakeSocket.all).toHaveLength(2)
  newest().open()
  expect(newest().sent[0]).toMatchObject({ epoch: 7, ver: 4 })
  clearInterval(beat)
})

test('a connection on which nothing is ever said is given up, counted from its opening', async () => {
  vi.setSystemTime(1_763_800_000_000)
  connect()
  newest().open()
  await vi.advanceTimersByTimeAsync(24_000)
  expect(FakeSocket.all).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(4000)
  expect(FakeSocket.all).toHaveLength(2)
})
