import { randomBytes, scrypt } from 'node:crypto'
import { promisify } from 'node:util'
import { inTransaction } from '@voting/election/database'
import { base32, normaliseBase32 } from '@voting/election/receipt'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Pool } from 'pg'
import type { Words } from '../messages/index.ts'
import type { Poll } from '../poll-repository.ts'
import { isSameSecret } from '../same-secret.ts'
import { rollIdOfAddress } from '../voter-secrets.ts'
import { attemptMinutes, type SignInAttempts } from './attempts.ts'
import { hashOf, newSecret } from './cookies.ts'
import type { Mailer } from './mailer.ts'

/** How many mails a listed address gets within the time that one is good for. */
export const mailsMax = 3
/** A code may be mistyped so often; it has 40 random bits. */
const triesMax = 5

interface MailAttempt {
  readonly poll: string
  /** null: the address is not listed, and nothing that is entered will be right. */
  readonly codeId: string | null
  readonly tokenHash: string
  readonly salt: string
  readonly codeHash: string
}

export interface MailRequest {
  readonly address: string
  /** Where the mail's link leads. */
  readonly confirmUrl: string
  /** The language of the mail: of the page on which it was asked for. */
  readonly words: Words
}

export interface MailSignInParts {
  readonly pool: Pool
  readonly attempts: SignInAttempts
  readonly mailer: Mailer
}

export type Confirmation = { readonly codeId: string } | { readonly problem: 'wrong' | 'gone' }

const slowHash = promisify(scrypt) as (secret: string, salt: string, length: number) => Promise<Buffer>

/** A code is short enough to type, so that its hash has to be slow. */
const codeHashOf = async (code: string, salt: string): Promise<string> =>
  (await slowHash(normaliseBase32(code).slice(0, 40), salt, 32)).toString('base64url')

/**
 * Voters whose address is listed sign in with what is sent there: a link, or a code to type. Either works once, for ten
 * minutes, and only in the browser that asked. Who asks for an address that is not listed sees the same, and no mail is sent.
 */
export class MailSignIn {
  readonly #parts: MailSignInParts

  constructor(parts: MailSignInParts) {
    this.#parts = parts
  }

  /** Sends a mail if the address is listed; whoever asks is not told. */
  async begin(
    request: FastifyRequest,
    reply: FastifyReply,
    poll: Poll,
    { address, confirmUrl, words }: MailRequest,
  ): Promise<void> {
    const { pool, attempts, mailer } = this.#parts
    const codeId = rollIdOfAddress(poll.key, address)
    const { rows } = await pool.query<{ isListed: boolean }>(
      'SELECT EXISTS (SELECT 1 FROM codes WHERE poll_id = $1 AND code_id = $2) AS "isListed"',
      [poll.id, codeId],
    )
    const { isListed } = rows[0]!
    const token = newSecret()
    const text = base32(randomBytes(5))
    const salt = newSecret()
    const code = `${text.slice(0, 4)}-${text.slice(4)}`
    await attempts.begin(request, reply, 'mail', {
      poll: poll.id,
      codeId: isListed ? codeId : null,
      tokenHash: hashOf(token),
      salt,
      codeHash: await codeHashOf(code, salt),
    } satisfies MailAttempt)
    if (!isListed) return
    const mail = {
      to: address.trim(),
      subject: words.plain('mailSubject', { title: poll.title }),
      text: words.plain('mailText', {
        title: poll.title,
        link: `${confirmUrl}?token=${token}`,
        code,
        n: attemptMinutes,
      }),
    }
    // Not waited for: how long it takes would tell that the address is listed.
    mailer.send(mail, () => this.#mayBeSent(poll, codeId))
  }

  /** Notes a mail if one more may go to this address; asked at once by many, one after the other. */
  #mayBeSent(poll: Poll, codeId: string): Promise<boolean> {
    return inTransaction(this.#parts.pool, async (client) => {
      await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`mail ${poll.id} ${codeId}`])
      // Nobody asks for those of before any more.
      await client.query(`DELETE FROM sent_mails WHERE at < now() - make_interval(mins => ${attemptMinutes})`)
      const { rowCount } = await client.query(
        `INSERT INTO sent_mails (poll_id, code_id) SELECT $1, $2
         WHERE (SELECT count(*) FROM sent_mails WHERE poll_id = $1 AND code_id = $2
           AND at > now() - make_interval(mins => ${attemptMinutes})) < ${mailsMax}`,
        [poll.id, codeId],
      )
      return rowCount === 1
    })
  }

  /** Whether this browser has asked for a mail for this poll. */
  async hasBegun(request: FastifyRequest, poll: Poll): Promise<boolean> {
    const attempt = await this.#parts.attempts.find<MailAttempt>(request, 'mail')
    return attempt?.data.poll === poll.id
  }

  /** Checks what the mail brought. What is right is used up by it; what was wrong too often, too. */
  async confirm(
    request: FastifyRequest,
    reply: FastifyReply,
    poll: Poll,
    given: { readonly token: string } | { readonly code: string },
  ): Promise<Confirmation> {
    const { attempts } = this.#parts
    const attempt = await attempts.find<MailAttempt>(request, 'mail')
    if (attempt?.data.poll !== poll.id) return { problem: 'gone' }
    const triesLeft = await attempts.useTry(request, 'mail', triesMax)
    if (triesLeft === null) return { problem: 'gone' }
    const { codeId, tokenHash, codeHash, salt } = attempt.data
    const isRight =
      'token' in given
        ? isSameSecret(hashOf(given.token), tokenHash)
        : isSameSecret(await codeHashOf(given.code, salt), codeHash)
    if (codeId === null || !isRight) {
      if (triesLeft > 0) return { problem: 'wrong' }
      await attempts.take(request, reply, 'mail')
      return { problem: 'gone' }
    }
    const taken = await attempts.take<MailAttempt>(request, reply, 'mail')
    return taken ? { codeId } : { problem: 'gone' }
  }
}
