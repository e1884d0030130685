import { randomBytes } from 'node:crypto'
import { Agent, request } from 'node:http'
import type { Logger } from 'stream-core'
import { type ExampleElection, exampleOptions, leanings, type OrganiserClient } from './example-election.ts'

interface Voter {
  readonly code: string
  readonly region: string
}

const stepMs = 100
/** Codes are asked for in batches, for voters who have not come yet. */
const codesPerBatch = 250
/** One in so many comes back and chooses anew. */
const returningShare = 0.04
const regions = Object.keys(leanings)

/**
 * Voters who use the public API like everybody else. Their number rises and falls over minutes, with bursts, and opinions
 * drift, so that the trend is worth watching. They are no benchmark: bench/ has those.
 */
export class SimulatedVoters {
  readonly #election: ExampleElection
  readonly #organiser: OrganiserClient
  readonly #endpoint: URL
  readonly #rate: number
  readonly #logger: Logger
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 })
  readonly #waiting: Voter[] = []
  readonly #returning: Voter[] = []
  #isFetchingCodes = false
  #owed = 0
  #underWay = 0
  #timer: NodeJS.Timeout | null = null
  readonly #startedMs = Date.now()

  constructor(election: ExampleElection, organiser: OrganiserClient, ingestUrl: string, rate: number, logger: Logger) {
    this.#election = election
    this.#organiser = organiser
    this.#endpoint = new URL(`/api/polls/${election.id}/ballots`, ingestUrl)
    this.#rate = rate
    this.#logger = logger
  }

  async start(): Promise<void> {
    await this.#fetchCodes()
    this.#timer = setInterval(() => this.#step(), stepMs)
  }

  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer)
    const end = Date.now() + 2000
    while (this.#underWay > 0 && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20))
    this.#agent.destroy()
  }

  #step(): void {
    const seconds = (Date.now() - this.#startedMs) / 1000
    this.#owed += ((this.#rate * stepMs) / 1000) * mood(seconds)
    while (this.#owed >= 1 && this.#underWay < 200) {
      this.#owed--
      const voter = this.#nextVoter()
      if (!voter) return
      this.#vote(voter, chooseOption(voter.region, seconds))
    }
    this.#owed = Math.min(this.#owed, this.#rate)
    if (this.#waiting.length < codesPerBatch) void this.#fetchCodes()
  }

  #nextVoter(): Voter | undefined {
    if (this.#returning.length > 50 && Math.random() < returningShare) {
      return this.#returning.splice(Math.floor(Math.random() * this.#returning.length), 1)[0]
    }
    const voter = this.#waiting.pop()
    if (voter && this.#returning.length < 2000) this.#returning.push(voter)
    return voter
  }

  /** Some voters of every region; none in a hurry: a failure is tried again by the next step. */
  async #fetchCodes(): Promise<void> {
    if (this.#isFetchingCodes) return
    this.#isFetchingCodes = true
    try {
      const batches = await Promise.all(
        regions.map((region) =>
          this.#organiser.post<{ codes: string[] }>(`/api/polls/${this.#election.id}/codes`, {
            count: Math.ceil((codesPerBatch * Math.max(1, this.#rate / 20)) / regions.length),
            region,
          }),
        ),
      )
      const fresh = batches.flatMap(({ codes }, i) => codes.map((code) => ({ code, region: regions[i]! })))
      for (const voter of fresh) this.#waiting.splice(Math.floor(Math.random() * (this.#waiting.length + 1)), 0, voter)
    } catch (error) {
      this.#logger.debug({ event: 'simulation.codes-failed', error: String(error) }, 'no voter codes at the moment')
    } finally {
      this.#isFetchingCodes = false
    }
  }

  #vote(voter: Voter, option: string): void {
    this.#underWay++
    const body = JSON.stringify({ code: voter.code, option, nonce: randomBytes(16).toString('base64url') })
    const sent = request(this.#endpoint, {
      method: 'POST',
      agent: this.#agent,
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      timeout: 15_000,
    })
    const done = (): void => void this.#underWay--
    sent.on('response', (response) => response.resume().on('close', done))
    sent.on('timeout', () => sent.destroy())
    sent.on('error', (error) => {
      done()
      this.#logger.debug({ event: 'simulation.vote-failed', error: error.message }, 'a simulated ballot was not sent')
    })
    sent.end(body)
  }
}

/** How busy it is now, about 1 on average: slow waves, a faster one, and a burst now and then. */
function mood(seconds: number): number {
  const waves = 1 + 0.45 * Math.sin(seconds / 47) + 0.3 * Math.sin(seconds / 13 + 2)
  const burst = Math.sin(seconds / 71 + 4) > 0.93 ? 1.5 : 0
  return Math.max(0.08, waves + burst + (Math.random() - 0.5) * 0.4)
}

/** A region's leaning, drifting over minutes: opinions move, and the lead may change. */
function chooseOption(region: string, seconds: number): string {
  const weights = leanings[region]!.map((weight, i) => weight * (1 + 0.5 * Math.sin(seconds / 180 + i * 1.9)))
  let point = Math.random() * weights.reduce((sum, weight) => sum + weight, 0)
  for (const [i, weight] of weights.entries()) {
    point -= weight
    if (point <= 0) return exampleOptions[i]!.id
  }
  return exampleOptions[0].id
}
