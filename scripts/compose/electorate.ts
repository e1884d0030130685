import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'

/** A ballot, and what became of it as its voter sees it. */
export interface CastBallot {
  readonly code: string
  readonly option: string
  readonly nonce: string
  /** Answers that were no acknowledgement: the form was sent again, unchanged. */
  failures: number
  /** null until it was acknowledged. */
  receipt: string | null
}

export interface Poll {
  readonly id: string
  readonly slug: string
  readonly options: readonly string[]
}

const answerDeadlineMs = 20_000
const retryMs = 400
/** Ingest makes no more at once. */
const codesPerRequest = 10_000
/** What an unchanged form may be sent again after: not now, not sure, too often. */
const passing = [429, 500, 502, 503, 504]

/** Asks an API as JSON. Throws with the answer when it is no success. */
export async function ask<T>(url: string, body?: object, token?: string): Promise<T> {
  const answer = await fetch(url, {
    ...(body && { method: 'POST', body: JSON.stringify(body) }),
    headers: {
      ...(body && { 'content-type': 'application/json' }),
      ...(token && { authorization: `Bearer ${token}` }),
    },
    signal: AbortSignal.timeout(answerDeadlineMs),
  })
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`)
  return (await answer.json()) as T
}

export async function createPoll(ingest: string, token: string, codeCount: number) {
  const options = ['a', 'b', 'c']
  const nowMs = Date.now()
  const { id, slug } = await ask<{ id: string; slug: string }>(
    `${ingest}/api/polls`,
    {
      title: 'Is every ballot counted once?',
      options: options.map((option) => ({ id: option, label: option.toUpperCase() })),
      opensAt: new Date(nowMs - 1000).toISOString(),
      closesAt: new Date(nowMs + 3_600_000).toISOString(),
      revote: 'first',
    },
    token,
  )
  const codes: string[] = []
  while (codes.length < codeCount) {
    const count = Math.min(codesPerRequest, codeCount - codes.length)
    codes.push(...(await ask<{ codes: string[] }>(`${ingest}/api/polls/${id}/codes`, { count }, token)).codes)
  }
  return { poll: { id, slug, options }, codes }
}

/** Voters, each with a code, who send their form until it is acknowledged. */
export class Electorate {
  readonly ballots: CastBallot[] = []
  readonly #ingest: string
  readonly #poll: Poll
  readonly #codes: string[]
  readonly #atOnce: number
  #workers: readonly Promise<void>[] = []
  #isClosed = true
  #refusal: Error | null = null

  constructor(ingest: string, poll: Poll, codes: readonly string[], atOnce: number) {
    this.#ingest = ingest
    this.#poll = poll
    this.#codes = [...codes]
    this.#atOnce = atOnce
    this.open()
  }

  /** Voters come, also after a close. */
  open(): void {
    this.#isClosed = false
    this.#workers = Array.from({ length: this.#atOnce }, () => this.#work())
  }

  get acknowledged(): number {
    return this.ballots.filter(({ receipt }) => receipt !== null).length
  }

  /** No new voters; resolves when all who have begun are acknowledged. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all(this.#workers)
    if (this.#refusal) throw this.#refusal
  }

  /** Every voter sends the form again, unchanged. Throws if one gets another receipt than the first time. */
  async sendAgain(): Promise<void> {
    const waiting = [...this.ballots]
    const work = async (): Promise<void> => {
      for (let ballot = waiting.pop(); ballot; ballot = waiting.pop()) {
        const again = { ...ballot, receipt: null }
        await this.#cast(again)
        if (again.receipt !== ballot.receipt)
          throw new Error(`${ballot.receipt} was sent again, and is ${again.receipt}`)
      }
    }
    await Promise.all(Array.from({ length: this.#atOnce }, work))
  }

  async #work(): Promise<void> {
    while (!this.#isClosed && !this.#refusal) {
      const code = this.#codes.pop()
      if (code === undefined) return
      const option = this.#poll.options[this.ballots.length % this.#poll.options.length]!
      const ballot = { code, option, nonce: randomBytes(16).toString('base64url'), failures: 0, receipt: null }
      this.ballots.push(ballot)
      await this.#cast(ballot).catch((error: unknown) => (this.#refusal ??= error as Error))
      await delay(50)
    }
  }

  async #cast(ballot: CastBallot): Promise<void> {
    const { code, option, nonce } = ballot
    while (ballot.receipt === null) {
      const answer = await fetch(`${this.#ingest}/api/polls/${this.#poll.id}/ballots`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ code, option, nonce }),
        signal: AbortSignal.timeout(answerDeadlineMs),
      })
        .then(
          async (response) => ({ status: response.status, text: await response.text() }),
          (error: unknown) => ({ status: 503, text: String(error) }),
        )
        .catch((error: unknown) => ({ status: 503, text: String(error) })) // it broke off half-way
      if (answer.status === 200 || answer.status === 201) {
        ballot.receipt = (JSON.parse(answer.text) as { receipt: string }).receipt
      } else if (passing.includes(answer.status)) {
        ballot.failures++
        await delay(retryMs)
      } else {
        throw new Error(`a ballot was refused with ${answer.status}: ${answer.text}`)
      }
    }
  }
}
