import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Admission, admit, choiceRefusal, fateAfterClose, type Refusal } from '../admission.ts'
import type { IngestParts, Show } from '../app.ts'
import { type BallotForm, ballotFormOf, choiceOfForm, newNonce } from '../ballot-form.ts'
import {
  ballotPage,
  type FormProblem,
  messagePage,
  pollListPage,
  receiptFormPage,
  receiptPage,
  reviewPage,
} from '../pages/ballot.ts'
import type { Poll } from '../poll-repository.ts'
import { isGuess, refusals } from '../refusals.ts'
import { codeIdOf } from '../voter-secrets.ts'
import { normaliseReceipt } from './api.ts'

type SlugRequest = FastifyRequest<{ Params: { slug: string } }>

/** Which part of the form a refusal is about. */
const fieldOf: { readonly [reason in Refusal]?: FormProblem['field'] } = {
  'bad-code': 'code',
  'already-voted': 'code',
  'unknown-option': 'option',
  'too-many-choices': 'option',
  'blank-not-allowed': 'option',
}

const mendedByRepeat: ReadonlySet<Refusal> = new Set<Refusal>([
  'not-recorded',
  'unconfirmed',
  'closed-unconfirmed',
  'vote-pending',
])

/**
 * The ballot without a script: enter, review, cast, receipt. The nonce of the first form goes through all of them, so that
 * a double click, the back button and a repeat are the same ballot.
 */
export function ballotPages(app: FastifyInstance, parts: IngestParts, show: Show): void {
  const { polls, metrics, receipts, limiter, urls } = parts

  const notFound = (request: SlugRequest, reply: FastifyReply): FastifyReply => {
    const waitSeconds = request.method === 'POST' ? limiter.fail(request.ip) : 0
    if (waitSeconds > 0) {
      const text = 'Too many refused forms from here. Wait a minute and try again.'
      return show(reply.header('retry-after', waitSeconds), 429, 'Wait a minute', messagePage('Wait a minute', text))
    }
    return show(reply, 404, 'No such poll', messagePage('There is no such poll', refusals['unknown-poll'].voter))
  }

  /** Why this poll takes no ballot now; null when it does. */
  const notNow = (poll: Poll): 'not-open' | 'closed' | null => {
    const nowMs = Date.now()
    if (nowMs < poll.opensAtMs && !poll.isClosed) return 'not-open'
    return poll.isClosed || nowMs >= poll.closesAtMs ? 'closed' : null
  }

  const withPoll = async (request: SlugRequest, reply: FastifyReply, use: (poll: Poll) => Promise<FastifyReply>) => {
    const poll = await polls.find(request.params.slug)
    return poll ? use(poll) : notFound(request, reply)
  }

  app.get('/', async (_request, reply) => show(reply, 200, 'Vote', pollListPage(await polls.open())))

  app.get('/p/:slug', (request: SlugRequest, reply) =>
    withPoll(request, reply, async (poll) => {
      const closed = notNow(poll)
      if (closed) return show(reply, 200, poll.title, messagePage(refusals[closed].title, poll.title))
      return show(reply, 200, poll.title, ballotPage(poll, ballotFormOf(null), null))
    }),
  )

  app.post('/p/:slug', (request: SlugRequest, reply) =>
    withPoll(request, reply, async (poll) =>
      show(reply, 200, poll.title, ballotPage(poll, ballotFormOf(request.body), null)),
    ),
  )

  /** 429 when an address has guessed too often; a valid ballot is never refused. */
  const tooMany = (reply: FastifyReply, waitSeconds: number, poll: Poll, form: BallotForm): FastifyReply =>
    show(
      reply.header('retry-after', waitSeconds),
      429,
      `Problem: ${poll.title}`,
      ballotPage(poll, form, {
        text: 'Too many wrong codes from here. Wait a minute and try again.',
        field: 'code',
      }),
    )

  const answer = (
    request: SlugRequest,
    reply: FastifyReply,
    poll: Poll,
    form: BallotForm,
    admission: Admission,
  ): FastifyReply => {
    if (admission.outcome === 'recorded') {
      metrics.submissions.inc({ result: admission.isRepeat ? 'repeated' : 'recorded' })
      return reply.redirect(`/receipts/${admission.receipt}`, 303)
    }
    const { reason } = admission
    const { status, code, voter, retryAfterSeconds } = refusals[reason]
    metrics.submissions.inc({ result: code })
    const waitSeconds = isGuess(reason) ? limiter.fail(request.ip) : 0
    if (waitSeconds > 0) return tooMany(reply, waitSeconds, poll, form)
    if (retryAfterSeconds !== undefined) reply.header('retry-after', retryAfterSeconds)
    // What can be mended by sending the same form again stays on the review page, with the choice in it.
    const body = mendedByRepeat.has(reason)
      ? reviewPage(poll, form, voter)
      : ballotPage(poll, reason === 'nonce-reused' ? { ...form, nonce: newNonce() } : form, {
          text: voter,
          field: fieldOf[reason] ?? null,
        })
    return show(reply, status, `Problem: ${poll.title}`, body)
  }

  const fateOf = async (poll: Poll, form: BallotForm): Promise<Admission> => {
    const checked = choiceOfForm(form)
    if ('refusal' in checked) return { outcome: 'refused', reason: 'closed' }
    return fateAfterClose(parts, poll, { ...form, choice: checked.choice })
  }

  app.post('/p/:slug/review', (request: SlugRequest, reply) =>
    withPoll(request, reply, async (poll) => {
      const form = ballotFormOf(request.body)
      const checked = choiceOfForm(form)
      const again = (status: number, text: string, field: FormProblem['field']): FastifyReply =>
        show(reply, status, `Problem: ${poll.title}`, ballotPage(poll, form, { text, field }))
      const closed = notNow(poll)
      // The form may be one that was cast before, and has come back.
      if (closed === 'closed') return answer(request, reply, poll, form, await fateOf(poll, form))
      if (closed) return again(refusals[closed].status, refusals[closed].voter, null)
      if (form.code.trim() === '') return again(400, 'Enter your voter code.', 'code')
      const wrong = 'refusal' in checked ? checked.refusal : choiceRefusal(poll, checked.choice)
      if (wrong !== null) return again(400, refusals[wrong].voter, 'option')
      if (!(await polls.hasCode(poll.id, codeIdOf(poll.key, form.code)))) {
        return answer(request, reply, poll, form, { outcome: 'refused', reason: 'bad-code' })
      }
      return show(reply, 200, 'Review your ballot', reviewPage(poll, form, null))
    }),
  )

  app.post('/p/:slug/cast', (request: SlugRequest, reply) =>
    withPoll(request, reply, async (poll) => {
      const form = ballotFormOf(request.body)
      const checked = choiceOfForm(form)
      const admission: Admission =
        'refusal' in checked
          ? { outcome: 'refused', reason: notNow(poll) ?? checked.refusal }
          : await admit(parts, poll.id, { code: form.code, choices: checked.choice, nonce: form.nonce })
      return answer(request, reply, poll, form, admission)
    }),
  )

  app.get<{ Querystring: { receipt?: string } }>('/receipts', async (request, reply) => {
    const { receipt } = request.query
    if (receipt === undefined) return show(reply, 200, 'Look up a receipt', receiptFormPage(null))
    return reply.redirect(`/receipts/${encodeURIComponent(normaliseReceipt(receipt))}`, 303)
  })

  app.get<{ Params: { receipt: string } }>('/receipts/:receipt', async (request, reply) => {
    const receipt = normaliseReceipt(request.params.receipt)
    const found = await receipts.find(receipt)
    if (!found) {
      const waitSeconds = limiter.fail(request.ip)
      const [status, text] =
        waitSeconds > 0
          ? [429, 'Too many unknown receipts from here. Wait a minute and try again.']
          : [404, 'No ballot has this receipt. Check it for typing mistakes.']
      if (waitSeconds > 0) reply.header('retry-after', waitSeconds)
      return show(reply, status, 'Unknown receipt', receiptFormPage(text))
    }
    const waits = found.status === 'recorded' ? { script: 'receipt.js', refreshSeconds: 2 } : {}
    return show(reply, 200, `Receipt ${receipt}`, receiptPage(receipt, found, urls().results), waits)
  })
}
