import { randomBytes } from 'node:crypto'
import { inTransaction } from '@voting/election/database'
import { base32 } from '@voting/election/receipt'
import type { Pool } from 'pg'
import { hashOf, newSecret } from './cookies.ts'

/** The organiser that whoever holds the organiser token is. */
export const operatorId = 'operator'

export interface Organiser {
  readonly id: string
  readonly name: string
}

export interface Invitation {
  readonly organiser: Organiser
  /** What the link carries: known to nobody but who is sent it. */
  readonly token: string
  readonly expiresAt: Date
}

export const invitationHours = 24

const newOrganiserId = (): string => `o${base32(randomBytes(8)).toLowerCase().slice(0, 12)}`

/** Who organises polls, and what lets them in. There are no passwords. */
export class Organisers {
  readonly #pool: Pool

  constructor(pool: Pool) {
    this.#pool = pool
  }

  async find(id: string): Promise<Organiser | null> {
    const { rows } = await this.#pool.query<Organiser>('SELECT id, name FROM organisers WHERE id = $1', [id])
    return rows[0] ?? null
  }

  /** The organiser that a provider's user is: the same for ever, whatever name the provider gives them. */
  async ofIdentity(issuer: string, subject: string, name: string): Promise<Organiser> {
    return inTransaction(this.#pool, async (client) => {
      // Two callbacks of one new user at once must not make two organisers.
      await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`${issuer} ${subject}`])
      const { rows } = await client.query<{ id: string }>(
        'SELECT organiser_id AS id FROM organiser_identities WHERE issuer = $1 AND subject = $2',
        [issuer, subject],
      )
      const id = rows[0]?.id ?? newOrganiserId()
      await client.query(
        'INSERT INTO organisers (id, name) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET name = excluded.name',
        [id, name],
      )
      await client.query('INSERT INTO organiser_identities VALUES ($1, $2, $3) ON CONFLICT DO NOTHING', [
        issuer,
        subject,
        id,
      ])
      return { id, name }
    })
  }

  /** Whether an organiser comes in without a passkey, too: the operator by the token, others by the provider, if there is one. */
  async hasAnotherWay(id: string, { provider }: { readonly provider: boolean }): Promise<boolean> {
    if (id === operatorId) return true
    const { rowCount } = await this.#pool.query('SELECT 1 FROM organiser_identities WHERE organiser_id = $1', [id])
    return provider && rowCount !== 0
  }

  /** A new organiser, and the secret of the link with which they add their first passkey. */
  invite(name: string): Promise<Invitation> {
    return this.#invite({ id: newOrganiserId(), name })
  }

  /** The same for the operator, whose polls programs make, so that they can be looked after on the pages, too. */
  async inviteOperator(): Promise<Invitation> {
    return this.#invite((await this.find(operatorId))!)
  }

  /** Whom an invitation is for; null when it is none, was used or has expired. */
  async invited(token: string): Promise<Organiser | null> {
    const { rows } = await this.#pool.query<Organiser>(
      `SELECT o.id, o.name FROM invitations i JOIN organisers o ON o.id = i.organiser_id
       WHERE token_hash = $1 AND expires_at > now()`,
      [hashOf(token)],
    )
    return rows[0] ?? null
  }

  /** Uses an invitation up. Resolves with false if somebody else has. */
  async useInvitation(token: string): Promise<boolean> {
    const { rowCount } = await this.#pool.query(
      'DELETE FROM invitations WHERE token_hash = $1 AND expires_at > now()',
      [hashOf(token)],
    )
    return rowCount === 1
  }

  async #invite(organiser: Organiser): Promise<Invitation> {
    const token = newSecret()
    const expiresAt = new Date(Date.now() + invitationHours * 3_600_000)
    await inTransaction(this.#pool, async (client) => {
      await client.query('INSERT INTO organisers (id, name) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
        organiser.id,
        organiser.name,
      ])
      await client.query('INSERT INTO invitations VALUES ($1, $2, $3)', [hashOf(token), organiser.id, expiresAt])
    })
    return { organiser, token, expiresAt }
  }
}
