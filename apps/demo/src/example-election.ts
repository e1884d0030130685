import type { Pool } from 'pg'

/** A believable question, with regions that lean differently so that the result is worth watching. */
export const exampleOptions = [
  { id: 'park', label: 'A public park' },
  { id: 'homes', label: 'New homes' },
  { id: 'market', label: 'A market hall' },
  { id: 'concert', label: 'A concert hall' },
  { id: 'nothing', label: 'Leave it as it is' },
] as const

/** How much each region likes each option, in the order of the options. */
export const leanings: { readonly [region: string]: readonly number[] } = {
  'Old Town': [5, 2, 6, 4, 3],
  Harbour: [7, 3, 5, 2, 4],
  Hillside: [6, 2, 2, 5, 4],
  Riverside: [7, 4, 3, 3, 2],
  'North Fields': [3, 8, 4, 1, 3],
  Station: [4, 7, 5, 3, 1],
  University: [5, 6, 2, 7, 1],
  Lakeside: [6, 3, 3, 4, 6],
}

const setting = 'example-poll'
const openHours = 24

export interface ExampleElection {
  readonly id: string
  readonly slug: string
  readonly ballotUrl: string
  readonly resultsUrl: string
}

/** What an organiser may do over the API; the demo uses the same door as everybody. */
export class OrganiserClient {
  readonly #ingestUrl: string
  readonly #token: string

  constructor(ingestUrl: string, token: string) {
    this.#ingestUrl = ingestUrl
    this.#token = token
  }

  async post<T>(path: string, body: object): Promise<T> {
    const response = await fetch(`${this.#ingestUrl}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
    return (await response.json()) as T
  }
}

/** The example poll of this data folder: the one that is open, or a new one. */
export async function ensureExampleElection(
  pool: Pool,
  organiser: OrganiserClient,
  urls: { ingest: string; viewer: string },
): Promise<ExampleElection> {
  const { rows } = await pool.query<{ id: string; slug: string }>(
    `SELECT p.id, p.slug FROM settings s JOIN polls p ON p.id = s.value
     WHERE s.name = $1 AND p.closed_at IS NULL AND p.closes_at > now() + interval '10 minutes'`,
    [setting],
  )
  const poll = rows[0] ?? (await createExamplePoll(pool, organiser))
  return { ...poll, ballotUrl: `${urls.ingest}/p/${poll.slug}`, resultsUrl: `${urls.viewer}/p/${poll.slug}` }
}

async function createExamplePoll(pool: Pool, organiser: OrganiserClient): Promise<{ id: string; slug: string }> {
  const nowMs = Date.now()
  const poll = await organiser.post<{ id: string; slug: string }>('/api/polls', {
    title: 'What should the old harbour become?',
    options: exampleOptions,
    regions: Object.keys(leanings),
    opensAt: new Date(nowMs).toISOString(),
    closesAt: new Date(nowMs + openHours * 3_600_000).toISOString(),
    revote: 'last',
  })
  await pool.query('INSERT INTO settings VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value', [
    setting,
    poll.id,
  ])
  return poll
}
