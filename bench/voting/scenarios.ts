import { BenchPoll, type Reconciled } from './bench-poll.ts'
import { rounded } from './latencies.ts'
import { during, observe } from './observe.ts'
import type { SwarmState } from './swarm.ts'
import type { VotingSystem } from './system.ts'
import type { Turnout } from './voters.ts'
import type { Worker } from './worker.ts'

/** A line of the report. */
export interface Row {
  readonly scenario: string
  readonly log: string
  readonly tallies: number
  readonly viewers: number
  readonly tickMs: number | null
  /** Every acknowledged ballot is counted once, and every page that is there shows the last result. */
  readonly valid: boolean
  readonly [figure: string]: unknown
}

/** A pace at which everything works, for scenarios that are about something else. */
const easyRate = 50
const countedInTimeS = 2

const base = ({ options: { log, tallies, viewers, tickMs } }: VotingSystem) => ({
  log,
  tallies,
  viewers,
  tickMs: tickMs ?? null,
})

const isSound = ({ lost, surplus, badReceipts }: Reconciled): boolean =>
  lost === 0 && surplus === 0 && badReceipts === 0

const answersOf = ({ due, turnedAway, answers, ackMs, overloadedMs }: Turnout) => ({
  due,
  turnedAway,
  answers,
  ackMs,
  overloadedMs,
})

/** Votes at one pace, and how long each of the probe's takes to the screen. */
export async function pace(
  system: VotingSystem,
  options: { readonly rate: number; readonly seconds: number },
): Promise<Row & { readonly isSustained: boolean }> {
  const { rate, seconds } = options
  const poll = await BenchPoll.create(system)
  const [voters, probe] = [await poll.voters(200), await poll.probe(seconds)]
  try {
    await voters.does.prepare(rate * (seconds + 2) * 1.1)
    const warmUp = await voters.does.vote(rate, 2)
    const { result, usage } = await during(system.parts, () =>
      Promise.all([voters.does.vote(rate, seconds), probe.does.watch(seconds)]),
    )
    const [turnout, seen] = result
    const reconciled = await poll.reconcile([warmUp, turnout, { ...seen, receipts: [] }])
    return {
      scenario: 'pace',
      ...base(system),
      valid: isSound(reconciled) && seen.unseen === 0,
      rate,
      acknowledgedPerS: Math.round(turnout.acknowledged / seconds),
      isSustained:
        turnout.acknowledged >= turnout.due * 0.98 &&
        turnout.uncertain === 0 &&
        reconciled.countedAfterS <= countedInTimeS,
      toScreenMs: seen.toScreenMs,
      ...answersOf(turnout),
      ...reconciled,
      usage,
    }
  } finally {
    await Promise.all([voters.end(), probe.end()])
  }
}

/** Far more voters than can be served: what they are answered, that nothing is lost, and how soon it is as before. */
export async function beyond(
  system: VotingSystem,
  { rate, seconds }: { readonly rate: number; readonly seconds: number },
): Promise<Row> {
  const poll = await BenchPoll.create(system)
  const [voters, probe] = [await poll.voters(2000), await poll.probe(3)]
  try {
    await voters.does.prepare(rate * seconds * 1.1)
    const { result: turnout, usage } = await during(system.parts, () => voters.does.vote(rate, seconds))
    const reconciled = await poll.reconcile([turnout])
    const after = await probe.does.watch(3)
    return {
      scenario: 'beyond',
      ...base(system),
      valid: isSound(reconciled) && after.unseen === 0,
      rate,
      acknowledgedPerS: Math.round(turnout.acknowledged / seconds),
      ...answersOf(turnout),
      ...reconciled,
      toScreenAfterwardsMs: after.toScreenMs,
      usage,
    }
  } finally {
    await Promise.all([voters.end(), probe.end()])
  }
}

interface Crowd {
  readonly pages: number
  readonly joinSeconds: number
  readonly seconds: number
}

/** Pages that come in a storm, and then watch an election that is voted in. */
export async function pages(system: VotingSystem, { pages: count, joinSeconds, seconds }: Crowd): Promise<Row> {
  const poll = await BenchPoll.create(system)
  const [voters, probe, swarm] = [await poll.voters(20), await poll.probe(seconds), await poll.swarm(count)]
  try {
    await voters.does.prepare(easyRate * seconds * 1.1)
    const viewers = showing(system)
    const storm = await during(viewers, () => Promise.all(swarm.map(({ does }) => does.join(joinSeconds))))
    const before = await stateOf(swarm)
    const watched = await during(viewers, () =>
      Promise.all([voters.does.vote(easyRate, seconds), probe.does.watch(seconds)]),
    )
    const [turnout, seen] = watched.result
    const reconciled = await poll.reconcile([turnout, { ...seen, receipts: [] }])
    const isUpToDate = await allShow(poll, swarm)
    const after = await stateOf(swarm)
    return {
      scenario: 'pages',
      ...base(system),
      valid: isSound(reconciled) && isUpToDate && after.current === before.current,
      pages: before.current,
      of: count,
      join: { seconds: joinSeconds, ms: storm.result, usage: storm.usage },
      updatesPerPageAndS: rounded((after.frames - before.frames) / before.current / watched.seconds),
      kbPerS: Math.round((after.bytes - before.bytes) / 1000 / watched.seconds),
      toScreenMs: seen.toScreenMs,
      closed: after.closed,
      ...reconciled,
      usage: watched.usage,
    }
  } finally {
    await endAll([voters, probe, ...swarm])
  }
}

/** Some pages read nothing any more: what becomes of them, and whether the others notice. */
export async function stalled(
  system: VotingSystem,
  { pages: count, joinSeconds, seconds }: Crowd,
  share = 0.05,
): Promise<Row> {
  const poll = await BenchPoll.create(system)
  const [voters, probe, swarm] = [await poll.voters(20), await poll.probe(seconds), await poll.swarm(count)]
  try {
    await voters.does.prepare(easyRate * seconds * 1.1)
    await Promise.all(swarm.map(({ does }) => does.join(joinSeconds)))
    const before = await stateOf(swarm)
    const stalledPages = sum(await Promise.all(swarm.map(({ does }) => does.stall(share))))
    const { result, usage } = await during(showing(system), () =>
      Promise.all([voters.does.vote(easyRate, seconds), probe.does.watch(seconds), connectionsAfter(system, seconds)]),
    )
    const [turnout, seen, connections] = result
    const reconciled = await poll.reconcile([turnout, { ...seen, receipts: [] }])
    const isUpToDate = await allShow(poll, swarm)
    return {
      scenario: 'stalled',
      ...base(system),
      valid: isSound(reconciled) && isUpToDate,
      pages: before.current,
      stalled: stalledPages,
      // The probe has one, too.
      cutOff: before.current + 1 - connections,
      afterS: seconds,
      toScreenMs: seen.toScreenMs,
      ...reconciled,
      usage,
    }
  } finally {
    await endAll([voters, probe, ...swarm])
  }
}

/** One of two viewers is killed: how soon its pages are back at the other, and what that does to it. */
export async function viewerKilled(system: VotingSystem, { pages: count, joinSeconds, seconds }: Crowd): Promise<Row> {
  const poll = await BenchPoll.create(system)
  const [voters, swarm] = [await poll.voters(20), await poll.swarm(count)]
  try {
    await voters.does.prepare(easyRate * seconds * 1.1)
    await Promise.all(swarm.map(({ does }) => does.join(joinSeconds)))
    const before = await stateOf(swarm)
    const [killed, survivor] = showing(system)
    const [, url] = system.viewerUrls
    const { result, usage } = await during([survivor!], async () => {
      const voting = voters.does.vote(easyRate, seconds)
      await system.kill(killed!)
      await Promise.all(swarm.map(({ does }) => does.redirect([url!])))
      const times = await Promise.all(swarm.map(({ does }) => does.untilCurrent(120)))
      return { turnout: await voting, times }
    })
    const reconciled = await poll.reconcile([result.turnout])
    const isUpToDate = await allShow(poll, swarm)
    const after = await stateOf(swarm)
    const isBack = result.times.every((time) => time !== null)
    return {
      scenario: 'viewer-killed',
      ...base(system),
      valid: isSound(reconciled) && isUpToDate && isBack && after.current === before.current,
      pages: before.current,
      cutOff: sum(Object.values(after.closed)),
      allBackAfterS: isBack ? rounded(Math.max(...result.times.map((time) => time!))) : null,
      ...reconciled,
      usage,
    }
  } finally {
    await endAll([voters, ...swarm])
  }
}

/** Votes at one pace for long: what memory does meanwhile. */
export async function soak(
  system: VotingSystem,
  { rate, minutes, pages: count }: { readonly rate: number; readonly minutes: number; readonly pages: number },
): Promise<Row> {
  const poll = await BenchPoll.create(system)
  const [voters, swarm] = [await poll.voters(100), await poll.swarm(count)]
  const everyMs = Math.min(10_000, minutes * 6000)
  const samples: { readonly atH: number; readonly mb: readonly number[] }[] = []
  const look = async (): Promise<void> => {
    const seen = await Promise.all(system.parts.map(observe))
    samples.push({ atH: performance.now() / 3_600_000, mb: seen.map(({ rssMb }) => rssMb) })
  }
  try {
    await voters.does.prepare(Math.min(20_000, rate * minutes * 60 * 1.1))
    await Promise.all(swarm.map(({ does }) => does.join(5)))
    const timer = setInterval(() => void look(), everyMs)
    const { result: turnout, usage } = await during(system.parts, () => voters.does.vote(rate, minutes * 60))
    clearInterval(timer)
    const reconciled = await poll.reconcile([turnout])
    const isUpToDate = await allShow(poll, swarm)
    // What grows at the beginning is what has to be there.
    const second = samples.slice(samples.length >> 1)
    return {
      scenario: 'soak',
      ...base(system),
      valid: isSound(reconciled) && isUpToDate,
      rate,
      minutes,
      pages: count,
      ...answersOf(turnout),
      ...reconciled,
      memory: system.parts.map(({ name }, i) => ({
        part: name,
        firstMb: samples[0]?.mb[i] ?? null,
        lastMb: samples.at(-1)?.mb[i] ?? null,
        mbPerHourInSecondHalf: slope(second.map(({ atH, mb }) => [atH, mb[i]!])),
      })),
      usage,
    }
  } finally {
    await endAll([voters, ...swarm])
  }
}

const showing = ({ parts }: VotingSystem) => {
  const viewers = parts.filter(({ name }) => name.startsWith('viewer'))
  return viewers.length > 0 ? viewers : parts.filter(({ ops }) => ops !== null)
}

const endAll = (workers: readonly { end(): Promise<void> }[]): Promise<unknown> =>
  Promise.all(workers.map((worker) => worker.end()))

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0)

async function stateOf(swarm: readonly Worker<'swarm'>[]): Promise<SwarmState> {
  const states = await Promise.all(swarm.map(({ does }) => does.state()))
  const closed: Record<string, number> = {}
  for (const state of states) {
    for (const [code, count] of Object.entries(state.closed)) closed[code] = (closed[code] ?? 0) + count
  }
  const versions = states.flatMap(({ oldestVersion }) => oldestVersion ?? [])
  return {
    current: sum(states.map(({ current }) => current)),
    frames: sum(states.map(({ frames }) => frames)),
    bytes: sum(states.map(({ bytes }) => bytes)),
    closed,
    oldestVersion: versions.length === 0 ? null : Math.min(...versions),
  }
}

/** Whether each page has come to the newest version within ten seconds. */
async function allShow(poll: BenchPoll, swarm: readonly Worker<'swarm'>[]): Promise<boolean> {
  const { version } = await poll.results()
  const endMs = performance.now() + 10_000
  for (;;) {
    const { oldestVersion } = await stateOf(swarm)
    if (oldestVersion !== null && oldestVersion >= version) return true
    if (performance.now() > endMs) return false
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function connectionsAfter(system: VotingSystem, seconds: number): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
  const counts = await Promise.all(
    showing(system).map(async ({ ops }) => {
      const text = await (await fetch(`${ops!}/metrics`)).text()
      return Number(/^viewer_connections (\d+)$/m.exec(text)?.[1])
    }),
  )
  return sum(counts)
}

/** Least squares; null for fewer than three points. */
function slope(points: readonly (readonly [number, number])[]): number | null {
  if (points.length < 3) return null
  const meanOf = (of: 0 | 1): number => sum(points.map((point) => point[of])) / points.length
  const [mx, my] = [meanOf(0), meanOf(1)]
  const over = sum(points.map(([x]) => (x - mx) ** 2))
  return rounded(sum(points.map(([x, y]) => (x - mx) * (y - my))) / over)
}
