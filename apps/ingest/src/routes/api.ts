import { normaliseBase32 } from '@voting/election/receipt'
import { type Problem, problemBody, problemType } from '@voting/election/problem'
import type { Eligibility } from '@voting/election/poll-terms'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { admit } from '../admission.ts'
import type { IngestParts } from '../app.ts'
import { codesMax } from '../organiser-desk.ts'
import { ControlNotRecordedError } from '../poll-control.ts'
import { checkPollInput } from '../poll-input.ts'
import type { Poll } from '../poll-repository.ts'
import { isGuess, refusals } from '../refusals.ts'
import { isSameSecret } from '../same-secret.ts'
import { operatorId } from '../sign-in/organisers.ts'
import { addressesMax, isAddress } from '../voter-roll.ts'

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  if (problem.retryAfterSeconds !== undefined) void reply.header('retry-after', problem.retryAfterSeconds)
  return reply.code(problem.status).type(problemType).send(problemBody(problem))
}

export const tooMany = (retryAfterSeconds: number): Problem => ({
  status: 429,
  code: 'too-many-failures',
  title: 'Too many refused requests from this address',
  detail: 'Valid ballots are still taken.',
  retryAfterSeconds,
})

/** The JSON API of the public contract (design §6.1). */
export function apiRoutes(app: FastifyInstance, parts: IngestParts): void {
  ballotRoutes(app, parts)
  organiserRoutes(app, parts)
}

/** The hot one. */
export const ballotsRoute = '/api/polls/:id/ballots'

function ballotRoutes(app: FastifyInstance, parts: IngestParts): void {
  const { limiter, metrics, receipts } = parts

  app.post<{ Params: { id: string } }>(ballotsRoute, async (request, reply) => {
    const body = (typeof request.body === 'object' ? request.body : null) ?? {}
    const admission = await admit(parts, request.params.id, body)
    if (admission.outcome === 'recorded') {
      metrics.submissions.inc({ result: admission.isRepeat ? 'repeated' : 'recorded' })
      const { receipt, recordedAt } = admission
      return reply
        .code(admission.isRepeat ? 200 : 201)
        .header('cache-control', 'no-store')
        .send({ receipt, status: 'recorded', recordedAt: recordedAt.toISOString() })
    }
    const { reason } = admission
    metrics.submissions.inc({ result: refusals[reason].code })
    const waitSeconds = isGuess(reason) ? limiter.fail(request.ip) : 0
    return sendProblem(reply, waitSeconds > 0 ? tooMany(waitSeconds) : refusals[reason])
  })

  app.get<{ Params: { receipt: string } }>('/api/receipts/:receipt', async (request, reply) => {
    const status = await receipts.find(normaliseReceipt(request.params.receipt))
    if (!status) {
      const waitSeconds = limiter.fail(request.ip)
      return sendProblem(
        reply,
        waitSeconds > 0
          ? tooMany(waitSeconds)
          : {
              status: 404,
              code: 'unknown-receipt',
              title: 'No ballot has this receipt',
              detail: 'Check it for typing mistakes.',
            },
      )
    }
    return reply.header('cache-control', 'no-store').send(status)
  })
}

/** A receipt as it is kept, from whatever a person typed. */
export function normaliseReceipt(text: string): string {
  const letters = normaliseBase32(text).slice(0, 40)
  return letters.match(/.{1,5}/g)?.join('-') ?? ''
}

/** A list of the longest that is taken in one call. */
export const addressesBytesMax = 4 * 1024 * 1024

/** What a poll for such voters needs and this installation has not; null when nothing is missing. */
export function missingFor({ kind }: Eligibility, { mailSignIn, oidc }: IngestParts): string | null {
  if (kind === 'addresses' && !mailSignIn) return 'eligibility "addresses" needs a mail server: set SMTP_URL.'
  return kind === 'claim' && !oidc ? 'eligibility "claim" needs an OpenID provider: set OIDC_ISSUER.' : null
}

function organiserRoutes(app: FastifyInstance, parts: IngestParts): void {
  const { polls, desk, organisers, organiserToken, limiter, urls } = parts

  const isOrganiser = (request: FastifyRequest): boolean => {
    const [scheme, token] = (request.headers.authorization ?? '').split(' ', 2)
    if (organiserToken === null || token === undefined) return false
    return scheme?.toLowerCase() === 'bearer' && isSameSecret(token, organiserToken)
  }
  const refuse = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const waitSeconds = limiter.fail(request.ip)
    if (waitSeconds > 0) return sendProblem(reply, tooMany(waitSeconds))
    return sendProblem(reply.header('www-authenticate', 'Bearer'), {
      status: 401,
      code: 'unauthorised',
      title: 'The organiser token is missing or wrong',
      detail: 'Send it as: Authorization: Bearer <token>.',
    })
  }
  const malformed = (reply: FastifyReply, detail: string): FastifyReply =>
    sendProblem(reply, { status: 400, code: 'malformed', title: 'The request is malformed', detail })
  const withPoll = async (
    id: string,
    reply: FastifyReply,
    use: (poll: Poll) => Promise<FastifyReply>,
  ): Promise<FastifyReply> => {
    const poll = await polls.findOwned(id, operatorId)
    return poll ? use(poll) : sendProblem(reply, refusals['unknown-poll'])
  }
  const otherVoters = (reply: FastifyReply, { eligibility }: Poll): FastifyReply =>
    sendProblem(reply, {
      status: 409,
      code: 'other-voters',
      title: 'The poll is for other voters',
      detail: `Its eligibility is ${JSON.stringify(eligibility)}.`,
    })
  const logIsAway = (error: unknown, reply: FastifyReply): FastifyReply => {
    if (!(error instanceof ControlNotRecordedError)) throw error
    return sendProblem(reply, {
      status: 503,
      code: 'unconfirmed',
      title: 'The log did not confirm',
      detail: `Poll ${error.pollId} is kept; what was asked for is written as soon as the log answers.`,
      retryAfterSeconds: 2,
    })
  }

  app.post('/api/polls', async (request, reply) => {
    if (!isOrganiser(request)) return refuse(request, reply)
    const input = checkPollInput(request.body, Date.now())
    if (typeof input === 'string') return malformed(reply, input)
    const missing = missingFor(input.eligibility, parts)
    if (missing !== null) return malformed(reply, missing)
    try {
      const { id, slug, definitionHash } = await desk.createPoll(input, operatorId)
      const links = { ballot: `${urls().ballot}/p/${slug}`, results: `${urls().results}/p/${slug}` }
      return await reply
        .code(201)
        .header('location', `/api/polls/${id}`)
        .send({ id, slug, definitionHash, urls: links })
    } catch (error) {
      return logIsAway(error, reply)
    }
  })

  app.post('/api/organisers', async (request, reply) => {
    if (!isOrganiser(request)) return refuse(request, reply)
    const { name } = ((typeof request.body === 'object' ? request.body : null) ?? {}) as { name?: unknown }
    if (typeof name !== 'string' || name.trim() === '' || name.length > 100) {
      return malformed(reply, `name must be a text of 1 to 100 characters, got ${JSON.stringify(name)}.`)
    }
    const { organiser, token, expiresAt } = await organisers.invite(name.trim())
    return reply
      .code(201)
      .header('cache-control', 'no-store')
      .send({
        id: organiser.id,
        // Behind the #, so that it gets into no log.
        invitation: `${urls().ballot}/organiser/join#${token}`,
        expiresAt: expiresAt.toISOString(),
      })
  })

  app.post<{ Params: { id: string } }>('/api/polls/:id/codes', async (request, reply) => {
    if (!isOrganiser(request)) return refuse(request, reply)
    const { count, region = null } = ((typeof request.body === 'object' ? request.body : null) ?? {}) as Record<
      string,
      unknown
    >
    if (!Number.isInteger(count) || (count as number) < 1 || (count as number) > codesMax) {
      return malformed(reply, `count must be a whole number from 1 to ${codesMax}, got ${JSON.stringify(count)}.`)
    }
    return withPoll(request.params.id, reply, async (poll) => {
      if (region !== null && !poll.regions.includes(region as string)) {
        return malformed(
          reply,
          `region must be one of the poll's (${poll.regions.join(', ')}), got ${JSON.stringify(region)}.`,
        )
      }
      if (poll.eligibility.kind !== 'codes') return otherVoters(reply, poll)
      const codes = await desk.issueCodes(poll, count as number, region as string | null)
      return reply.code(201).header('cache-control', 'no-store').send({ codes })
    })
  })

  const listOptions = { bodyLimit: addressesBytesMax }
  app.post<{ Params: { id: string } }>('/api/polls/:id/addresses', listOptions, async (request, reply) => {
    if (!isOrganiser(request)) return refuse(request, reply)
    const { addresses, region = null } = ((typeof request.body === 'object' ? request.body : null) ?? {}) as Record<
      string,
      unknown
    >
    if (!Array.isArray(addresses) || addresses.length === 0 || addresses.length > addressesMax) {
      return malformed(reply, `addresses must be a list of 1 to ${addressesMax} e-mail addresses.`)
    }
    const wrong = addresses.find((address) => !isAddress(address)) as unknown
    if (wrong !== undefined) return malformed(reply, `${JSON.stringify(wrong)} is no e-mail address; none was listed.`)
    return withPoll(request.params.id, reply, async (poll) => {
      if (region !== null && !poll.regions.includes(region as string)) {
        return malformed(
          reply,
          `region must be one of the poll's (${poll.regions.join(', ')}), got ${JSON.stringify(region)}.`,
        )
      }
      if (poll.eligibility.kind !== 'addresses') return otherVoters(reply, poll)
      const listed = await desk.listAddresses(poll, addresses as string[], region as string | null)
      return reply.code(201).send({ listed })
    })
  })

  app.post<{ Params: { id: string } }>('/api/polls/:id/close', async (request, reply) => {
    if (!isOrganiser(request)) return refuse(request, reply)
    return withPoll(request.params.id, reply, async (poll) => {
      try {
        await desk.closePoll(poll)
        return await reply.send({ id: poll.id, status: 'closed' })
      } catch (error) {
        return logIsAway(error, reply)
      }
    })
  })
}
