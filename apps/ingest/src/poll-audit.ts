import type { Pool, PoolClient } from 'pg'

export type PollEventKind =
  | 'created'
  | 'changed'
  | 'published'
  | 'opened'
  | 'extended'
  | 'closed'
  | 'codes-issued'
  | 'addresses-listed'
  | 'cloned'

/** What voters have a right to know of: it may be shown with the results. */
const publicKinds: ReadonlySet<PollEventKind> = new Set(['published', 'opened', 'extended', 'closed'])

export interface NewPollEvent {
  readonly kind: PollEventKind
  /** The organiser who did it; null: the system, at the time that was set. */
  readonly actorId: string | null
  readonly details?: { readonly [name: string]: string | number | boolean }
}

export interface PollEvent {
  readonly kind: PollEventKind
  readonly atMs: number
  readonly actor: string | null
  readonly details: { readonly [name: string]: unknown }
}

/** Notes what was done to a poll; pass the client of the transaction that does it. */
export async function appendPollEvent(client: Pool | PoolClient, pollId: string, event: NewPollEvent): Promise<void> {
  await client.query(
    'INSERT INTO poll_events (poll_id, kind, actor_id, is_public, details) VALUES ($1, $2, $3, $4, $5)',
    [pollId, event.kind, event.actorId, publicKinds.has(event.kind), JSON.stringify(event.details ?? {})],
  )
}

/** Everything that was done to a poll, in order. */
export async function pollEvents(pool: Pool, pollId: string): Promise<readonly PollEvent[]> {
  const { rows } = await pool.query<PollEvent>(
    `SELECT kind, extract(epoch FROM at)::float8 * 1000 AS "atMs", o.name AS actor, details
     FROM poll_events e LEFT JOIN organisers o ON o.id = e.actor_id WHERE poll_id = $1 ORDER BY e.id`,
    [pollId],
  )
  return rows
}
