import type {
  AuthenticationResponseJSON,
  AuthenticatorTransport,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/server'
import { inTransaction } from '@voting/election/database'
import type { Pool } from 'pg'
import type { Organiser } from './organisers.ts'

export interface ListedPasskey {
  readonly credentialId: string
  readonly createdAtMs: number
  readonly lastUsedAtMs: number | null
}

/** The site as browsers know it: a passkey works for this name and no other. */
export interface PasskeySite {
  /** As `https://vote.example`. */
  readonly origin: string
  /** As `vote.example`; a number is no name. */
  readonly hostname: string
}

interface PasskeyRow {
  readonly organiser_id: string
  readonly public_key: Buffer
  readonly counter: string
  readonly transports: AuthenticatorTransport[]
}

/** Loaded when somebody first uses a passkey: it takes a good part of a second, which a start need not wait for. */
const webauthn = () => import('@simplewebauthn/server')

const siteName = 'Voting'
/** EdDSA, ES256 and RS256: what authenticators have. The library would ask Node for algorithms that are experimental there. */
const algorithms = [-8, -7, -257]

/**
 * Passkeys of organisers. The authenticator verifies its user, by a finger, a face or a PIN, so that one is enough, and it
 * keeps who the user is, so that no name has to be typed.
 */
export class Passkeys {
  readonly #pool: Pool

  constructor(pool: Pool) {
    this.#pool = pool
  }

  async list(organiserId: string): Promise<readonly ListedPasskey[]> {
    const { rows } = await this.#pool.query<ListedPasskey>(
      `SELECT credential_id AS "credentialId", extract(epoch FROM created_at)::float8 * 1000 AS "createdAtMs",
         extract(epoch FROM last_used_at)::float8 * 1000 AS "lastUsedAtMs"
       FROM passkeys WHERE organiser_id = $1 ORDER BY created_at`,
      [organiserId],
    )
    return rows
  }

  /** What the browser needs to make a passkey; its challenge has to come back in the response. */
  async registrationOptions(site: PasskeySite, organiser: Organiser): Promise<PublicKeyCredentialCreationOptionsJSON> {
    const { rows } = await this.#pool.query<{ id: string }>(
      'SELECT credential_id AS id FROM passkeys WHERE organiser_id = $1',
      [organiser.id],
    )
    const { generateRegistrationOptions } = await webauthn()
    return generateRegistrationOptions({
      rpName: siteName,
      rpID: site.hostname,
      userID: new TextEncoder().encode(organiser.id),
      userName: organiser.name,
      userDisplayName: organiser.name,
      excludeCredentials: rows,
      supportedAlgorithmIDs: algorithms,
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    })
  }

  /**
   * Adds the passkey that the browser made, and resolves with its id; with null if the response is not an answer to the
   * challenge, or if `mayAdd`, which is asked last, says no.
   */
  async add(
    site: PasskeySite,
    { organiserId, challenge }: { readonly organiserId: string; readonly challenge: string },
    response: unknown,
    mayAdd: () => Promise<boolean>,
  ): Promise<string | null> {
    const { verifyRegistrationResponse } = await webauthn()
    const verified = await verifyRegistrationResponse({
      response: response as RegistrationResponseJSON,
      expectedChallenge: challenge,
      expectedOrigin: site.origin,
      expectedRPID: site.hostname,
      requireUserVerification: true,
      supportedAlgorithmIDs: algorithms,
    }).catch(() => null) // whatever is wrong with what the browser sent, it is no passkey
    if (!verified?.verified || !(await mayAdd())) return null
    const { credential } = verified.registrationInfo
    const { rowCount } = await this.#pool.query(
      `INSERT INTO passkeys (credential_id, organiser_id, public_key, counter, transports)
       VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
      [
        credential.id,
        organiserId,
        Buffer.from(credential.publicKey),
        credential.counter,
        JSON.stringify(credential.transports ?? []),
      ],
    )
    return rowCount === 1 ? credential.id : null
  }

  async signInOptions(site: PasskeySite): Promise<PublicKeyCredentialRequestOptionsJSON> {
    const { generateAuthenticationOptions } = await webauthn()
    return generateAuthenticationOptions({ rpID: site.hostname, userVerification: 'required' })
  }

  /** The passkey that has signed the challenge, and whose it is; null when none has. */
  async signIn(
    site: PasskeySite,
    challenge: string,
    response: unknown,
  ): Promise<{ readonly organiserId: string; readonly credentialId: string } | null> {
    const id = (response as { id?: unknown } | null)?.id
    // Base64url, as browsers send it; anything else is no question for the database.
    if (typeof id !== 'string' || !/^[A-Za-z0-9_-]+$/.test(id)) return null
    const { rows } = await this.#pool.query<PasskeyRow>(
      'SELECT organiser_id, public_key, counter, transports FROM passkeys WHERE credential_id = $1',
      [id],
    )
    const row = rows[0]
    if (!row) return null
    const { verifyAuthenticationResponse } = await webauthn()
    const verified = await verifyAuthenticationResponse({
      response: response as AuthenticationResponseJSON,
      expectedChallenge: challenge,
      expectedOrigin: site.origin,
      expectedRPID: site.hostname,
      requireUserVerification: true,
      credential: {
        id,
        publicKey: new Uint8Array(row.public_key),
        counter: Number(row.counter),
        transports: row.transports,
      },
    }).catch(() => null) // whatever is wrong with what the browser sent, it signs nobody in
    if (!verified?.verified) return null
    await this.#pool.query('UPDATE passkeys SET counter = $2, last_used_at = now() WHERE credential_id = $1', [
      id,
      verified.authenticationInfo.newCounter,
    ])
    return { organiserId: row.organiser_id, credentialId: id }
  }

  /**
   * Removes a passkey, and ends the sessions that were begun with it: whoever has the device is out. The last one stays
   * unless `mayBeNone`: its owner could not come in again.
   */
  remove(organiserId: string, credentialId: string, mayBeNone: boolean): Promise<'removed' | 'unknown' | 'last'> {
    return inTransaction(this.#pool, async (client) => {
      // All of them are held: two that are removed at once would each leave the other.
      const { rows } = await client.query<{ id: string }>(
        'SELECT credential_id AS id FROM passkeys WHERE organiser_id = $1 FOR UPDATE',
        [organiserId],
      )
      if (!rows.some(({ id }) => id === credentialId)) return 'unknown'
      if (rows.length === 1 && !mayBeNone) return 'last'
      await client.query('DELETE FROM passkeys WHERE credential_id = $1', [credentialId])
      // Of sessions of an earlier version it is not known with which passkey they were begun: they may be of this one.
      await client.query(
        `DELETE FROM sessions WHERE audience = 'organiser' AND subject = $1
         AND (credential_id = $2 OR (credential_id IS NULL AND method = 'passkey'))`,
        [organiserId, credentialId],
      )
      return 'removed'
    })
  }
}
