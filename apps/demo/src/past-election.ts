import { createHash } from 'node:crypto'
import { definitionHash } from '@voting/election/definition-hash'
import type { BallotEvent, ControlEvent } from '@voting/election/events'
import { newPollId, newSlug } from '@voting/election/identifiers'
import { topics } from '@voting/election/topics'
import type { Pool } from 'pg'
import { type Broker, partitionForKey } from 'stream-core'
import { exampleOptions, leanings } from './example-election.ts'

const setting = 'past-poll'

const minuteMs = 60_000
/** Inside the grace of the tally's windows, so that it is counted whole also where later polls have been counted before. */
const daysAgo = 6
const openMinutes = 90
const electorate = 4000
const voterCount = 1750
/** A bus arrives at the town hall. */
const rush = { from: 47, to: 47.5, voters: 60 }
const regions = Object.keys(leanings)

/**
 * One believable election of last week, the first round of the example: the log gets its opening, its ballots and its close,
 * with the times they would have had, and the tally counts them like any others. Only what a browser would have sent is
 * made up here. Done once for a data folder; the second and later calls do nothing.
 *
 * @returns its id
 */
export async function ensurePastElection(pool: Pool, broker: Broker, nowMs: number): Promise<string> {
  const { rows } = await pool.query<{ value: string }>('SELECT value FROM settings WHERE name = $1', [setting])
  if (rows[0]) return rows[0].value
  const poll = newPollId()
  const opensAt = Math.floor((nowMs - daysAgo * 86_400_000) / (60 * minuteMs)) * 60 * minuteMs
  const closesAt = opensAt + openMinutes * minuteMs
  const definition = {
    title: 'What should the old harbour become? First round',
    options: exampleOptions,
    regions,
    revote: 'last',
    electorate,
  } as const
  const hash = definitionHash(definition)
  await writeBallots(broker, poll, opensAt, closesAt, hash)
  await pool.query(
    `INSERT INTO polls (id, slug, title, options, regions, revote, electorate, definition_hash, opens_at, closes_at, poll_key,
       opened_at, closed_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, to_timestamp($9 / 1000.0), to_timestamp($10 / 1000.0), $11,
       to_timestamp($9 / 1000.0), to_timestamp($10 / 1000.0))`,
    [
      poll,
      newSlug(definition.title),
      definition.title,
      JSON.stringify(definition.options),
      JSON.stringify(regions),
      definition.revote,
      electorate,
      hash,
      opensAt,
      closesAt,
      // Nobody has a code for it: it is over.
      Buffer.alloc(32),
    ],
  )
  await pool.query('INSERT INTO settings VALUES ($1, $2)', [setting, poll])
  return poll
}

/** The example is the second run of the series that began with the past one, as if it had been cloned from it. */
export async function makeRuns(pool: Pool, past: string, current: string): Promise<void> {
  await pool.query(
    `UPDATE polls SET series_id = $1, clone_of = $1,
       run = (SELECT max(run) + 1 FROM polls WHERE coalesce(series_id, id) = $1)
     WHERE id = $2 AND series_id IS NULL`,
    [past, current],
  )
}

async function writeBallots(
  broker: Broker,
  poll: string,
  opensAt: number,
  closesAt: number,
  hash: string,
): Promise<void> {
  const ballots = (await broker.admin.describeTopics([topics.ballots])).get(topics.ballots)!
  const producer = await broker.openProducer()
  try {
    const everywhere = (event: ControlEvent): void => {
      for (let partition = 0; partition < ballots.partitionCount; partition++) {
        producer.append(topics.ballots, partition, Buffer.from(poll), Buffer.from(JSON.stringify(event)), event.at)
      }
    }
    const options = exampleOptions.map(({ id }) => id)
    const rules = { options, regions, revote: 'last', definitionHash: hash, electorate } as const
    everywhere({ type: 'open', poll, eventId: `${poll}:open`, rules, opensAt, closesAt, at: opensAt })
    let isClosed = false
    for (const { voter, event } of ballotsOf(poll, opensAt, closesAt)) {
      // A few are too late: the log has them, and the tally rejects them.
      if (!isClosed && event.at > closesAt) {
        everywhere({ type: 'close', poll, eventId: `${poll}:close`, at: closesAt })
        isClosed = true
      }
      const key = Buffer.from(`${poll}|${voter}`)
      const partition = partitionForKey(key, ballots.partitionCount)
      producer.append(topics.ballots, partition, key, Buffer.from(JSON.stringify(event)), event.at)
    }
    await producer.flush()
  } finally {
    await producer.close()
  }
}

interface CastBallot {
  readonly voter: string
  readonly event: BallotEvent
}

/** What was cast, in the order of its times: the same on every machine but for the poll's id. */
function ballotsOf(poll: string, opensAt: number, closesAt: number): CastBallot[] {
  const random = createRandom(7)
  const cast: CastBallot[] = []
  const add = (voter: string, option: string, region: string, at: number): void => {
    const ballotId = tagOf(poll, `b|${voter}|${cast.length}`)
    cast.push({
      voter: tagOf(poll, `v|${voter}`),
      event: { type: 'ballot', poll, ballotId, option, region, at: Math.round(at) },
    })
  }
  for (let i = 0; i < voterCount; i++) {
    const isInRush = i < rush.voters
    const minute = isInRush ? rush.from + random() * (rush.to - rush.from) : comingMinute(random)
    const region = regions[Math.floor(random() * regions.length)]!
    const at = opensAt + minute * minuteMs
    const option = choose(region, minute / openMinutes, random)
    add(String(i), option, region, at)
    // Some think again, most of them towards what is ahead by then.
    if (random() < 0.06) {
      const again = minute + random() * Math.min(30, openMinutes - minute)
      add(String(i), random() < 0.6 ? 'park' : choose(region, 1, random), region, opensAt + again * minuteMs)
    }
  }
  for (let i = 0; i < 7; i++) add(`late-${i}`, 'homes', 'Station', closesAt + 1000 + random() * 60_000)
  // A form that was sent twice is the same ballot.
  for (const twice of cast.slice(100, 104)) cast.push({ ...twice, event: { ...twice.event, at: twice.event.at + 800 } })
  return cast.sort((a, b) => a.event.at - b.event.at)
}

/** Many at the beginning, a quiet middle, and the last who remember. */
function comingMinute(random: () => number): number {
  const kind = random()
  if (kind < 0.45) return Math.min(openMinutes - 1, -Math.log(1 - random()) * 18)
  if (kind < 0.75) return random() * openMinutes
  return openMinutes - 0.05 - random() * 20
}

/** New homes are ahead at first; then the park catches up. */
function choose(region: string, part: number, random: () => number): string {
  const drift = [0.75 + 0.7 * part, 1.35 - 0.5 * part, 1, 0.9, 0.8]
  const weights = leanings[region]!.map((weight, i) => weight * drift[i]!)
  let point = random() * weights.reduce((sum, weight) => sum + weight, 0)
  for (const [i, weight] of weights.entries()) {
    point -= weight
    if (point <= 0) return exampleOptions[i]!.id
  }
  return exampleOptions[0].id
}

/** As ingest's voter tags and ballot ids look; here they stand for nobody. */
const tagOf = (poll: string, text: string): string =>
  createHash('sha256').update(`${poll}|${text}`).digest('base64url').slice(0, 22)

/** Numbers from 0 to 1 that are the same every time (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
