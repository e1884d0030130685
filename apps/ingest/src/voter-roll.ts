import { inTransaction } from '@voting/election/database'
import type { Pool, PoolClient } from 'pg'
import { appendPollEvent } from './poll-audit.ts'
import type { Poll } from './poll-repository.ts'
import { rollIdOfAddress, rollIdOfIdentity } from './voter-secrets.ts'

/** How many addresses are listed in one call. */
export const addressesMax = 10_000

const legalAddress = /^[^\s@\p{Cc}<>,;"]{1,64}@[^\s@\p{Cc}<>,;"]{1,190}$/u

/** Whether a text can be a mail address; whether it is one is known when a mail has arrived. */
export const isAddress = (text: unknown): boolean => typeof text === 'string' && legalAddress.test(text.trim())

/** Who may vote in a poll that is not for everybody: HMACs, whatever they stand for. No name and no address is kept. */
export class VoterRoll {
  readonly #pool: Pool

  constructor(pool: Pool) {
    this.#pool = pool
  }

  /** Lists addresses; resolves with how many were not listed before. */
  async listAddresses(
    poll: Poll,
    addresses: readonly string[],
    region: string | null,
    actorId: string,
  ): Promise<number> {
    const ids = [...new Set(addresses.map((address) => rollIdOfAddress(poll.key, address)))]
    return inTransaction(this.#pool, async (client) => {
      const listed = await add(client, poll, ids, region)
      const details = { listed, ...(region !== null && { region }) }
      await appendPollEvent(client, poll.id, { kind: 'addresses-listed', actorId, details })
      return listed
    })
  }

  /** The regions in which voters are listed, by code or otherwise. */
  async regions({ id }: Poll): Promise<readonly string[]> {
    const { rows } = await this.#pool.query<{ region: string }>(
      'SELECT DISTINCT region FROM codes WHERE poll_id = $1 AND region IS NOT NULL',
      [id],
    )
    return rows.map(({ region }) => region)
  }

  /** Lists somebody whom the provider vouches for; resolves with their row. */
  async listIdentity(poll: Poll, issuer: string, subject: string): Promise<string> {
    const id = rollIdOfIdentity(poll.key, issuer, subject)
    await add(this.#pool, poll, [id], null)
    return id
  }
}

async function add(
  client: Pool | PoolClient,
  poll: Poll,
  ids: readonly string[],
  region: string | null,
): Promise<number> {
  const { rowCount } = await client.query(
    'INSERT INTO codes (poll_id, code_id, region) SELECT $1, unnest($2::text[]), $3 ON CONFLICT DO NOTHING',
    [poll.id, ids, region],
  )
  return rowCount ?? 0
}
