import type { Eligibility } from '@voting/election/poll-terms'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { IngestParts } from '../app.ts'
import { codesMax, PollStateError } from '../organiser-desk.ts'
import { ControlNotRecordedError } from '../poll-control.ts'
import { checkPollInput, InputProblem, isLine, parseTime, type PollInput } from '../poll-input.ts'
import type { Poll } from '../poll-repository.ts'
import { refusals } from '../refusals.ts'
import { isSameSecret } from '../same-secret.ts'
import { operatorId } from '../sign-in/organisers.ts'
import { addressesMax, isAddress } from '../voter-roll.ts'
import { sendProblem, tooMany } from './api.ts'
import { passkeysAt, siteOf } from './passkey-routes.ts'

/** A list of the longest that is taken in one call. */
export const addressesBytesMax = 4 * 1024 * 1024

export const reasonMax = 300

const joinPath = '/organiser/join'

/** What a poll for such voters needs and this installation has not; null when nothing is missing. */
export function missingFor({ kind }: Eligibility, { mailSignIn, oidc }: IngestParts): InputProblem | null {
  if (kind === 'addresses' && !mailSignIn) {
    return new InputProblem('mail', 'eligibility "addresses" needs a mail server: set SMTP_URL.')
  }
  return kind === 'claim' && !oidc
    ? new InputProblem('provider', 'eligibility "claim" needs an OpenID provider: set OIDC_ISSUER.')
    : null
}

/** Something is wrong with what was sent. */
class MalformedError extends Error {}

type Body = Record<string, unknown>
type IdRequest = FastifyRequest<{ Params: { id: string } }>

const bodyOf = (request: FastifyRequest): Body =>
  typeof request.body === 'object' && request.body !== null ? (request.body as Body) : {}

/** The JSON API for organisers (design §6.1), for whoever has the organiser token: the polls of the operator. */
export function organiserApi(app: FastifyInstance, parts: IngestParts): void {
  const { polls, desk, organisers, limiter, urls } = parts

  /** Answers who is no organiser, and what goes wrong, in one way for all routes. */
  const organised = async (
    request: FastifyRequest,
    reply: FastifyReply,
    work: () => Promise<FastifyReply>,
  ): Promise<FastifyReply> => {
    if (!hasToken(request, parts.organiserToken)) return refuse(request, reply)
    try {
      return await work()
    } catch (error) {
      return sendError(error, reply)
    }
  }
  const refuse = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const waitSeconds = limiter.note(request.ip)
    if (waitSeconds > 0) return sendProblem(reply, tooMany(waitSeconds))
    return sendProblem(reply.header('www-authenticate', 'Bearer'), {
      status: 401,
      code: 'unauthorised',
      title: 'The organiser token is missing or wrong',
      detail: 'Send it as: Authorization: Bearer <token>.',
    })
  }
  /** Checks first what needs no poll, then whether there is one of the operator's. */
  const owned = <T>(
    request: IdRequest,
    reply: FastifyReply,
    check: (body: Body) => T,
    work: (poll: Poll, input: T) => Promise<FastifyReply>,
  ): Promise<FastifyReply> =>
    organised(request, reply, async () => {
      const input = check(bodyOf(request))
      const poll = await polls.findOwned(request.params.id, operatorId)
      return poll ? work(poll, input) : sendProblem(reply, refusals['unknown-poll'])
    })
  const checkedPoll = (body: unknown): PollInput => {
    const input = checkPollInput(body, Date.now())
    if (input instanceof InputProblem) throw new MalformedError(input.detail)
    const missing = missingFor(input.eligibility, parts)
    if (missing !== null) throw new MalformedError(missing.detail)
    return input
  }
  const links = ({ slug, shortCode }: Poll) => ({
    ballot: `${urls().ballot}/p/${slug}`,
    results: `${urls().results}/p/${slug}`,
    ...(shortCode !== null && { short: `${urls().ballot}/s/${shortCode}` }),
  })
  const created = (poll: Poll, reply: FastifyReply): FastifyReply => {
    const { id, slug, definitionHash } = poll
    return reply
      .code(201)
      .header('location', `/api/polls/${id}`)
      .send({ id, slug, definitionHash, urls: links(poll) })
  }

  app.post('/api/polls', (request, reply) =>
    organised(request, reply, async () => created(await desk.createPoll(checkedPoll(request.body), operatorId), reply)),
  )

  app.put('/api/polls/:id', (request: IdRequest, reply) =>
    owned(request, reply, checkedPoll, async (poll, input) => {
      await desk.changePoll(poll, input, operatorId)
      const changed = (await polls.findOwned(poll.id, operatorId))!
      return reply.send({ id: poll.id, slug: poll.slug, definitionHash: changed.definitionHash, urls: links(poll) })
    }),
  )

  app.post('/api/polls/:id/publish', (request: IdRequest, reply) =>
    owned(
      request,
      reply,
      () => null,
      async (poll) => {
        const { id, opensAtMs, closesAtMs } = await desk.publishPoll(poll, operatorId)
        const [opensAt, closesAt] = [new Date(opensAtMs).toISOString(), new Date(closesAtMs).toISOString()]
        return reply.send({ id, opensAt, closesAt })
      },
    ),
  )

  app.post('/api/polls/:id/clone', (request: IdRequest, reply) =>
    owned(
      request,
      reply,
      () => null,
      async (poll) => created(await desk.clonePoll(poll, operatorId), reply),
    ),
  )

  app.post('/api/polls/:id/extend', (request: IdRequest, reply) =>
    owned(
      request,
      reply,
      ({ closesAt, reason }) => {
        const closesAtMs = parseTime(closesAt)
        if (closesAtMs === null) {
          throw new MalformedError(`closesAt must be a time in ISO 8601, got ${JSON.stringify(closesAt)}.`)
        }
        if (!isLine(reason, reasonMax))
          throw new MalformedError(`reason must be a line of 1 to ${reasonMax} characters.`)
        return { closesAtMs, reason }
      },
      async (poll, { closesAtMs, reason }) => {
        await desk.extendPoll(poll, closesAtMs, reason, operatorId)
        return reply.send({ id: poll.id, closesAt: new Date(closesAtMs).toISOString() })
      },
    ),
  )

  app.post('/api/organisers', (request, reply) =>
    organised(request, reply, async () => {
      const { name, operator } = bodyOf(request)
      const isOperator = operator === true && name === undefined
      if (!isOperator && !isLine(name, 100)) {
        const expected = 'name must be a line of 1 to 100 characters, or operator true'
        throw new MalformedError(`${expected}; got ${JSON.stringify({ name, operator })}.`)
      }
      const invited = isOperator ? organisers.inviteOperator() : organisers.invite((name as string).trim())
      const { organiser, token, expiresAt } = await invited
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({
          id: organiser.id,
          // Behind the #, so that it gets into no log.
          invitation: `${passkeysAt(siteOf(urls().ballot), joinPath) ?? `${urls().ballot}${joinPath}`}#${token}`,
          expiresAt: expiresAt.toISOString(),
        })
    }),
  )

  app.post('/api/polls/:id/codes', (request: IdRequest, reply) =>
    owned(
      request,
      reply,
      ({ count, region = null }) => {
        if (!Number.isInteger(count) || (count as number) < 1 || (count as number) > codesMax) {
          throw new MalformedError(`count must be a whole number from 1 to ${codesMax}, got ${JSON.stringify(count)}.`)
        }
        return { count: count as number, region }
      },
      async (poll, { count, region }) => {
        const checked = checkedRegion(poll, region)
        if (poll.eligibility.kind !== 'codes') return otherVoters(reply, poll)
        const codes = await desk.issueCodes(poll, count, checked, operatorId)
        return reply.code(201).header('cache-control', 'no-store').send({ codes })
      },
    ),
  )

  const listOptions = { bodyLimit: addressesBytesMax }
  app.post('/api/polls/:id/addresses', listOptions, (request: IdRequest, reply) =>
    owned(
      request,
      reply,
      ({ addresses, region = null }) => {
        if (!Array.isArray(addresses) || addresses.length === 0 || addresses.length > addressesMax) {
          throw new MalformedError(`addresses must be a list of 1 to ${addressesMax} e-mail addresses.`)
        }
        const wrong = addresses.find((address) => !isAddress(address)) as unknown
        if (wrong !== undefined) {
          throw new MalformedError(`${JSON.stringify(wrong)} is no e-mail address; none was listed.`)
        }
        return { addresses: addresses as string[], region }
      },
      async (poll, { addresses, region }) => {
        const checked = checkedRegion(poll, region)
        if (poll.eligibility.kind !== 'addresses') return otherVoters(reply, poll)
        return reply.code(201).send({ listed: await desk.listAddresses(poll, addresses, checked, operatorId) })
      },
    ),
  )

  app.post('/api/polls/:id/close', (request: IdRequest, reply) =>
    owned(
      request,
      reply,
      () => null,
      async (poll) => {
        await desk.closePoll(poll, operatorId)
        return reply.send({ id: poll.id, status: 'closed' })
      },
    ),
  )
}

function hasToken(request: FastifyRequest, organiserToken: string | null): boolean {
  const [scheme, token] = (request.headers.authorization ?? '').split(' ', 2)
  if (organiserToken === null || token === undefined) return false
  return scheme?.toLowerCase() === 'bearer' && isSameSecret(token, organiserToken)
}

function checkedRegion({ regions }: Poll, region: unknown): string | null {
  if (region === null || regions.includes(region as string)) return region as string | null
  throw new MalformedError(`region must be one of the poll's (${regions.join(', ')}), got ${JSON.stringify(region)}.`)
}

const otherVoters = (reply: FastifyReply, { eligibility }: Poll): FastifyReply =>
  sendProblem(reply, {
    status: 409,
    code: 'other-voters',
    title: 'The poll is for other voters',
    detail: `Its eligibility is ${JSON.stringify(eligibility)}.`,
  })

function sendError(error: unknown, reply: FastifyReply): FastifyReply {
  if (error instanceof MalformedError) {
    return sendProblem(reply, {
      status: 400,
      code: 'malformed',
      title: 'The request is malformed',
      detail: error.message,
    })
  }
  if (error instanceof PollStateError) {
    return sendProblem(reply, { status: 409, code: error.code, title: 'Not in this state', detail: error.message })
  }
  if (!(error instanceof ControlNotRecordedError)) throw error
  return sendProblem(reply, {
    status: 503,
    code: 'unconfirmed',
    title: 'The log did not confirm',
    detail: `Poll ${error.pollId} is kept; what was asked for is written as soon as the log answers.`,
    retryAfterSeconds: 2,
  })
}
