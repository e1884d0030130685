import type { Turnout } from './voters.ts'
import type { VotingSystem } from './system.ts'
import { startWorker, type Worker } from './worker.ts'

/** Voters choose from these, probes from the others. */
const votedFor = ['a', 'b', 'c', 'd', 'e']
const probed = Array.from({ length: 10 }, (_, i) => `probe-${i}`)
const countedMsMax = 60_000
const hourMs = 3_600_000

interface Results {
  readonly voters: number
  readonly version: number
  readonly accounting: {
    readonly recorded: number
    readonly accepted: number
    readonly superseded: number
    readonly rejected: number
    readonly duplicates: number
  }
}

/** What was acknowledged, beside what is counted. */
export interface Reconciled {
  readonly acknowledged: number
  readonly counted: number
  /** Acknowledged and not counted: there must be none. */
  readonly lost: number
  /** Counted, and neither acknowledged nor uncertain: there must be none. */
  readonly surplus: number
  /** From the last answer until all of it was shown. */
  readonly countedAfterS: number
  /** Receipts of those that were looked at that do not say "counted". */
  readonly badReceipts: number
}

/** A poll of the bench's own: the first ballot counts, so that what is acknowledged has to be what is counted. */
export class BenchPoll {
  readonly id: string
  readonly #system: VotingSystem

  private constructor(system: VotingSystem, id: string) {
    this.#system = system
    this.id = id
  }

  static async create(system: VotingSystem): Promise<BenchPoll> {
    const nowMs = Date.now()
    const { id } = await ask<{ id: string }>(`${system.ingestUrl}/api/polls`, system.organiserToken, {
      title: 'How many at once?',
      options: [...votedFor, ...probed].map((option) => ({ id: option, label: option })),
      opensAt: new Date(nowMs - 1000).toISOString(),
      closesAt: new Date(nowMs + 24 * hourMs).toISOString(),
      revote: 'first',
    })
    return new BenchPoll(system, id)
  }

  voters(connections: number): Promise<Worker<'voters'>> {
    const { ingestUrl, organiserToken } = this.#system
    const localAddresses = sourceAddresses(10)
    return startWorker('voters', {
      ingestUrl,
      organiserToken,
      poll: this.id,
      options: votedFor,
      connections,
      localAddresses,
    })
  }

  /** Enough for so many seconds: each of its options is voted for at most some ten times in one. */
  async probe(seconds: number): Promise<Worker<'probe'>> {
    const { ingestUrl, viewerUrls, organiserToken } = this.#system
    const url = `${ingestUrl}/api/polls/${this.id}/codes`
    const { codes } = await ask<{ codes: string[] }>(url, organiserToken, {
      count: Math.min(10_000, Math.ceil(seconds * 20 * probed.length)),
    })
    return startWorker('probe', { ingestUrl, viewerUrl: viewerUrls[0], poll: this.id, codes, options: probed })
  }

  /** Pages in two processes, each with addresses of its own. */
  async swarm(count: number): Promise<readonly Worker<'swarm'>[]> {
    const { viewerUrls } = this.#system
    const parts = count < 100 ? 1 : 2
    return Promise.all(
      Array.from({ length: parts }, (_, i) => {
        const localAddresses = sourceAddresses(10, 20 + 10 * i)
        return startWorker('swarm', { viewerUrls, poll: this.id, count: Math.floor(count / parts), localAddresses })
      }),
    )
  }

  results(): Promise<Results> {
    return ask<Results>(`${this.#system.viewerUrls.at(-1)}/api/polls/${this.id}/results`)
  }

  /** Waits until what was acknowledged is shown, and compares. */
  async reconcile(turnouts: readonly Pick<Turnout, 'acknowledged' | 'uncertain' | 'receipts'>[]): Promise<Reconciled> {
    const sum = (of: (turnout: (typeof turnouts)[number]) => number): number =>
      turnouts.reduce((all, one) => all + of(one), 0)
    const [acknowledged, uncertain] = [sum((one) => one.acknowledged), sum((one) => one.uncertain)]
    const startMs = performance.now()
    let results = await this.results()
    while (results.voters < acknowledged && performance.now() - startMs < countedMsMax) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      results = await this.results()
    }
    const countedAfterS = Number(((performance.now() - startMs) / 1000).toFixed(1))
    const receipts = turnouts.flatMap((turnout) => turnout.receipts)
    const states = await Promise.all(
      receipts.map((receipt) => ask<{ status: string }>(`${this.#system.ingestUrl}/api/receipts/${receipt}`)),
    )
    const { accepted } = results.accounting
    return {
      acknowledged,
      counted: accepted,
      lost: Math.max(0, acknowledged - accepted),
      surplus: Math.max(0, accepted - acknowledged - uncertain),
      countedAfterS,
      badReceipts: states.filter(({ status }) => status !== 'counted').length,
    }
  }
}

/** All of 127.0.0.0/8 is this machine on Linux; each address has its own 28,000 ports. Elsewhere there is but one. */
const sourceAddresses = (count: number, from = 2): string[] =>
  process.platform === 'linux' ? Array.from({ length: count }, (_, i) => `127.0.0.${from + i}`) : ['127.0.0.1']

async function ask<T>(url: string, token?: string, body?: object): Promise<T> {
  const answer = await fetch(url, {
    ...(body && { method: 'POST', body: JSON.stringify(body) }),
    headers: {
      ...(body && { 'content-type': 'application/json' }),
      ...(token && { authorization: `Bearer ${token}` }),
    },
  })
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`)
  return (await answer.json()) as T
}
