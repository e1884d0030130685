import { randomBytes } from 'node:crypto'
import type { ReadyLine } from './demo-process.ts'

export interface Answer<T> {
  readonly status: number
  readonly body: T
}

export async function post<T>(url: string, body: object, token?: string): Promise<Answer<T>> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body),
  })
  return { status: response.status, body: (await response.json()) as T }
}

export async function get<T>(url: string): Promise<Answer<T>> {
  const response = await fetch(url)
  return { status: response.status, body: (await response.json()) as T }
}

export const newNonce = (): string => randomBytes(16).toString('base64url')

export interface Results {
  readonly status: string
  readonly version: number
  readonly voters: number
  readonly totals: { readonly [option: string]: number }
  readonly accounting: {
    readonly recorded: number
    readonly accepted: number
    readonly superseded: number
    readonly rejected: number
    readonly duplicates: number
  }
}

/** A poll with options a, b and c, open for an hour, and codes for it; `terms` are what else it is made of. */
export async function createPoll(system: ReadyLine, revote: 'first' | 'last', codeCount: number, terms: object = {}) {
  const nowMs = Date.now()
  const poll = await post<{ id: string; slug: string }>(
    `${system.ingest}/api/polls`,
    {
      title: `Test ${nowMs}`,
      options: ['a', 'b', 'c'].map((id) => ({ id, label: id.toUpperCase() })),
      opensAt: new Date(nowMs - 1000).toISOString(),
      closesAt: new Date(nowMs + 3_600_000).toISOString(),
      revote,
      ...terms,
    },
    system.organiserToken,
  )
  const { body } = await post<{ codes: string[] }>(
    `${system.ingest}/api/polls/${poll.body.id}/codes`,
    { count: codeCount },
    system.organiserToken,
  )
  return { id: poll.body.id, slug: poll.body.slug, codes: body.codes }
}

/** Waits until `look` gives something that is not null. */
export async function eventually<T>(what: string, look: () => Promise<T | null>, deadlineMs = 15_000): Promise<T> {
  const end = Date.now() + deadlineMs
  for (;;) {
    const found = await look()
    if (found !== null) return found
    if (Date.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
