import { randomBytes } from 'node:crypto'
import { quantiles, type Quantiles } from './latencies.ts'
import { RawHttp } from './raw-http.ts'

export interface VotersOptions {
  readonly ingestUrl: string
  readonly poll: string
  readonly organiserToken: string
  /** What they choose from, one after the other. */
  readonly options: readonly string[]
  /** As many may wait for an answer at once; who comes when all do is turned away here. */
  readonly connections: number
  /** Source addresses, taken by turns. */
  readonly localAddresses: readonly string[]
}

/** What became of ballots, as their voters see it. */
export interface Turnout {
  /** Voters who were to come by the pace. */
  readonly due: number
  /** Of those who found no free connection: this side's limit, not the server's. */
  readonly turnedAway: number
  /** Answers by status and, of those that refuse, their code; `broken` for connections that broke off. */
  readonly answers: { readonly [status: string]: number }
  readonly acknowledged: number
  /** Without an answer that says what became of the ballot: it may be in the log, and may not. */
  readonly uncertain: number
  /** From the first byte of the request to the last of the answer, of those that were acknowledged. */
  readonly ackMs: Quantiles
  /** The same of those that were told to come again since too many were under way. */
  readonly overloadedMs: Quantiles
  /** Some of the receipts. */
  readonly receipts: readonly string[]
}

const tickMs = 5
/** A pause of this process is not made up for in one blow. */
const catchUpMs = 250
const codesPerBatch = 10_000
const receiptsKept = 100
const overloaded = '503 overloaded'
/** Whoever has this answer knows what became of the ballot. */
const isCertain = (answer: string): boolean => /^(?:201|4\d\d .*|503 overloaded|503 not-recorded)$/.test(answer)

/**
 * Voters at an even pace, whatever the server does (open loop): each with a code of their own, once, in a poll where the first
 * ballot counts. So what is acknowledged has to be what is counted.
 */
export class Voters {
  readonly #options: VotersOptions
  readonly #free: RawHttp[]
  readonly #all: RawHttp[]
  readonly #codes: string[] = []
  #fetching: Promise<void> | null = null
  #started = 0
  #due = 0
  #turnedAway = 0
  #underWay = 0
  #answers: Record<string, number> = {}
  #ackMs: number[] = []
  #overloadedMs: number[] = []
  #receipts: string[] = []

  constructor(options: VotersOptions) {
    this.#options = options
    const { ingestUrl, localAddresses, connections } = options
    this.#all = Array.from(
      { length: connections },
      (_, i) => new RawHttp(ingestUrl, localAddresses[i % localAddresses.length]),
    )
    this.#free = [...this.#all]
  }

  /** Has so many codes made before anybody comes. */
  async prepare(count: number): Promise<void> {
    while (this.#codes.length < count) await this.#fetchCodes(Math.ceil(count - this.#codes.length))
  }

  /** Lets them come for so long, and resolves when everybody has an answer, or none within half a minute. */
  async vote(ratePerSecond: number, seconds: number): Promise<Turnout> {
    this.#due = this.#turnedAway = 0
    this.#answers = {}
    this.#ackMs = []
    this.#overloadedMs = []
    this.#receipts = []
    const startMs = performance.now()
    const endMs = startMs + seconds * 1000
    let lastMs = startMs
    let owed = 0
    for (let nowMs = startMs; nowMs < endMs; nowMs = performance.now()) {
      owed += (Math.min(nowMs - lastMs, catchUpMs) / 1000) * ratePerSecond
      lastMs = nowMs
      for (; owed >= 1; owed--) this.#come()
      if (this.#codes.length < codesPerBatch / 2 && this.#remaining(ratePerSecond, endMs - nowMs))
        void this.#fetchCodes()
      await new Promise((resolve) => setTimeout(resolve, tickMs))
    }
    const patienceMs = performance.now() + 30_000
    while (this.#underWay > 0 && performance.now() < patienceMs) await new Promise((resolve) => setTimeout(resolve, 10))
    return this.#turnout()
  }

  close(): void {
    for (const connection of this.#all) connection.close()
  }

  #remaining(ratePerSecond: number, leftMs: number): boolean {
    return this.#codes.length < (ratePerSecond * leftMs) / 1000
  }

  #come(): void {
    this.#due++
    const connection = this.#free.pop()
    const code = connection && this.#codes.pop()
    if (!connection || code === undefined) {
      if (connection) this.#free.push(connection)
      this.#turnedAway++
      return
    }
    void this.#cast(connection, code)
  }

  async #cast(connection: RawHttp, code: string): Promise<void> {
    const { poll, options } = this.#options
    const option = options[this.#started++ % options.length]!
    const nonce = randomBytes(12).toString('base64url')
    const sentMs = performance.now()
    this.#underWay++
    try {
      const { status, body } = await connection.post(
        `/api/polls/${poll}/ballots`,
        `{"code":"${code}","option":"${option}","nonce":"${nonce}"}`,
      )
      const tookMs = performance.now() - sentMs
      const answer = status === 201 ? '201' : `${status} ${(JSON.parse(body) as { code: string }).code}`
      this.#count(answer)
      if (answer === overloaded) this.#overloadedMs.push(tookMs)
      if (status !== 201) return
      this.#ackMs.push(tookMs)
      if (this.#receipts.length < receiptsKept) this.#receipts.push((JSON.parse(body) as { receipt: string }).receipt)
    } catch {
      this.#count('broken')
    } finally {
      this.#underWay--
      this.#free.push(connection)
    }
  }

  #count(answer: string): void {
    this.#answers[answer] = (this.#answers[answer] ?? 0) + 1
  }

  #turnout(): Turnout {
    const { 201: acknowledged = 0 } = this.#answers
    const uncertain = Object.entries(this.#answers).map(([answer, count]) => (isCertain(answer) ? 0 : count))
    return {
      due: this.#due,
      turnedAway: this.#turnedAway,
      answers: this.#answers,
      acknowledged,
      uncertain: uncertain.reduce((all, one) => all + one, this.#underWay),
      ackMs: quantiles(this.#ackMs),
      overloadedMs: quantiles(this.#overloadedMs),
      receipts: this.#receipts,
    }
  }

  #fetchCodes(wanted = codesPerBatch): Promise<void> {
    this.#fetching ??= this.#askForCodes(Math.min(wanted, codesPerBatch)).finally(() => (this.#fetching = null))
    return this.#fetching
  }

  async #askForCodes(count: number): Promise<void> {
    const { ingestUrl, poll, organiserToken } = this.#options
    const answer = await fetch(`${ingestUrl}/api/polls/${poll}/codes`, {
      method: 'POST',
      headers: { authorization: `Bearer ${organiserToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ count }),
    })
    if (!answer.ok) throw new Error(`no codes: ${answer.status} ${await answer.text()}`)
    this.#codes.push(...((await answer.json()) as { codes: string[] }).codes)
  }
}
