import { normaliseBase32 } from '@voting/election/receipt'
import { type Problem, problemBody, problemType } from '@voting/election/problem'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { admit } from '../admission.ts'
import type { IngestParts } from '../app.ts'
import { isGuess, refusals } from '../refusals.ts'

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

/** The hot one. */
export const ballotsRoute = '/api/polls/:id/ballots'

/**
 * Turns ballots away while too many are under way, before anything else is done with the request and whatever its body is. It has
 * to cost next to nothing, for it is done when there is no time: what it takes is taken from those who were let in. So it
 * is the first hook, calls no other, answers past the framework, and ends the connection: whoever comes again at once comes in
 * by the doors, of which each lets in one in a turn of the event loop (D141).
 */
export function turnAway(app: FastifyInstance, { gate, metrics }: IngestParts): void {
  const { status, code, retryAfterSeconds } = refusals.overloaded
  const body = JSON.stringify(problemBody(refusals.overloaded))
  const head = {
    'content-type': problemType,
    'content-length': String(Buffer.byteLength(body)),
    'retry-after': String(retryAfterSeconds),
    'x-content-type-options': 'nosniff',
  }
  app.addHook('onRequest', (request, reply, done) => {
    if (request.routeOptions.url !== ballotsRoute || !gate.isFull) return done()
    metrics.submissions.inc({ result: code })
    reply.hijack()
    // A body that came with the head has been read by then. One that is still to come would meet a closed connection, and
    // the answer to it would be lost.
    setImmediate(() => {
      if (reply.raw.destroyed) return
      const connection = request.raw.complete ? 'close' : 'keep-alive'
      reply.raw.writeHead(status, { ...head, connection }).end(body)
    })
  })
}

/** The JSON API for voters (design §6.1). */
export function ballotApi(app: FastifyInstance, parts: IngestParts): void {
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
    const waitSeconds = isGuess(reason) ? limiter.note(request.ip) : 0
    return sendProblem(reply, waitSeconds > 0 ? tooMany(waitSeconds) : refusals[reason])
  })

  app.get<{ Params: { receipt: string } }>('/api/receipts/:receipt', async (request, reply) => {
    const status = await receipts.find(normaliseReceipt(request.params.receipt))
    if (!status) {
      const waitSeconds = limiter.note(request.ip)
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
    const { ballotOf: _poll, ...known } = status
    return reply.header('cache-control', 'no-store').send(known)
  })
}

/** A receipt as it is kept, from whatever a person typed. */
export function normaliseReceipt(text: string): string {
  const letters = normaliseBase32(text).slice(0, 40)
  return letters.match(/.{1,5}/g)?.join('-') ?? ''
}
