import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Admission, admit, choiceRefusal, fateAfterClose, type Refusal, rollRowOf } from '../admission.ts'
import type { IngestParts, Show } from '../app.ts'
import { formFields } from '../form-fields.ts'
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
import type { BallotOf } from '../receipts.ts'
import { isGuess, refusals } from '../refusals.ts'
import { isSameSecret } from '../same-secret.ts'
import { voterOf, type VotingAs, votingAs } from '../voting-as.ts'
import { normaliseReceipt } from './api.ts'
import { showVoterSignIn } from './voter-sign-in.ts'

/** A form of a ballot, and by whom it was sent. */
interface Sent {
  readonly poll: Poll
  readonly form: BallotForm
  readonly as: VotingAs
}

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

  /** As whom this browser votes; who has to sign in first is asked to. */
  const withVoter = (
    request: SlugRequest,
    reply: FastifyReply,
    use: (poll: Poll, as: VotingAs) => Promise<FastifyReply>,
  ): Promise<FastifyReply> =>
    withPoll(request, reply, async (poll) => {
      const as = await votingAs(parts, poll, request, reply)
      const isForm = request.method === 'POST'
      if (as === null) {
        const text = 'You are not signed in any more. Sign in again to vote; nothing was recorded.'
        return showVoterSignIn(parts, show, reply, poll, isForm ? { status: 403, text } : null)
      }
      if (isForm && as.kind === 'signed-in' && !isSameSecret(formFields(request)['form_token'] ?? '', as.formToken)) {
        const text = 'This form belongs to another session. Open the ballot again.'
        return show(reply, 403, 'Not accepted', messagePage('Not accepted', text))
      }
      return use(poll, as)
    })

  app.get('/p/:slug', (request: SlugRequest, reply) =>
    withPoll(request, reply, async (poll) => {
      const closed = notNow(poll)
      if (closed) return show(reply, 200, poll.title, messagePage(refusals[closed].title, poll.title))
      return withVoter(request, reply, async (_poll, as) =>
        show(
          reply,
          200,
          poll.title,
          ballotPage(poll, ballotFormOf(null), null, as),
          as.kind === 'code' ? { script: 'code-from-link.js' } : {},
        ),
      )
    }),
  )

  // Browsers carry what is behind a # over to where they are sent.
  app.get<{ Params: { short: string } }>('/s/:short', async (request, reply) => {
    const poll = await polls.findByShortCode(request.params.short)
    if (poll) return reply.redirect(`/p/${poll.slug}`, 302)
    return show(reply, 404, 'No such poll', messagePage('There is no such poll', refusals['unknown-poll'].voter))
  })

  app.post('/p/:slug', (request: SlugRequest, reply) =>
    withVoter(request, reply, async (poll, as) =>
      show(reply, 200, poll.title, ballotPage(poll, ballotFormOf(request.body), null, as)),
    ),
  )

  /** 429 when an address has guessed too often; a valid ballot is never refused. */
  const tooMany = (reply: FastifyReply, waitSeconds: number, { poll, form, as }: Sent): FastifyReply =>
    show(
      reply.header('retry-after', waitSeconds),
      429,
      `Problem: ${poll.title}`,
      ballotPage(
        poll,
        form,
        { text: 'Too many wrong codes from here. Wait a minute and try again.', field: 'code' },
        as,
      ),
    )

  const answer = (request: SlugRequest, reply: FastifyReply, sent: Sent, admission: Admission): FastifyReply => {
    const { poll, form, as } = sent
    if (admission.outcome === 'recorded') {
      metrics.submissions.inc({ result: admission.isRepeat ? 'repeated' : 'recorded' })
      return reply.redirect(`/receipts/${admission.receipt}`, 303)
    }
    const { reason } = admission
    const { status, code, voter, retryAfterSeconds } = refusals[reason]
    metrics.submissions.inc({ result: code })
    const waitSeconds = isGuess(reason) ? limiter.fail(request.ip) : 0
    if (waitSeconds > 0) return tooMany(reply, waitSeconds, sent)
    if (retryAfterSeconds !== undefined) reply.header('retry-after', retryAfterSeconds)
    // What can be mended by sending the same form again stays on the review page, with the choice in it.
    const field = fieldOf[reason] ?? null
    const body = mendedByRepeat.has(reason)
      ? reviewPage(poll, form, voter, as)
      : ballotPage(
          poll,
          reason === 'nonce-reused' ? { ...form, nonce: newNonce() } : form,
          { text: voter, field: field === 'code' && as.kind !== 'code' ? null : field },
          as,
        )
    return show(reply, status, `Problem: ${poll.title}`, body)
  }

  const fateOf = async ({ poll, form, as }: Sent): Promise<Admission> => {
    const checked = choiceOfForm(form)
    if ('refusal' in checked) return { outcome: 'refused', reason: 'closed' }
    return fateAfterClose(parts, poll, { voter: voterOf(as, form), choice: checked.choice, nonce: form.nonce })
  }

  app.post('/p/:slug/review', (request: SlugRequest, reply) =>
    withVoter(request, reply, async (poll, as) => {
      const form = ballotFormOf(request.body)
      const checked = choiceOfForm(form)
      const again = (status: number, text: string, field: FormProblem['field']): FastifyReply =>
        show(reply, status, `Problem: ${poll.title}`, ballotPage(poll, form, { text, field }, as))
      const closed = notNow(poll)
      const sent = { poll, form, as }
      // The form may be one that was cast before, and has come back.
      if (closed === 'closed') return answer(request, reply, sent, await fateOf(sent))
      if (closed) return again(refusals[closed].status, refusals[closed].voter, null)
      if (as.kind === 'code' && form.code.trim() === '') return again(400, 'Enter your voter code.', 'code')
      const wrong = 'refusal' in checked ? checked.refusal : choiceRefusal(poll, checked.choice)
      if (wrong !== null) return again(400, refusals[wrong].voter, 'option')
      const { codeId, isAnybody } = rollRowOf(poll, voterOf(as, form))
      if (!isAnybody && !(await polls.hasCode(poll.id, codeId))) {
        return answer(request, reply, sent, { outcome: 'refused', reason: 'bad-code' })
      }
      return show(reply, 200, 'Review your ballot', reviewPage(poll, form, null, as))
    }),
  )

  app.post('/p/:slug/cast', (request: SlugRequest, reply) =>
    withVoter(request, reply, async (poll, as) => {
      const form = ballotFormOf(request.body)
      const checked = choiceOfForm(form)
      const voter = voterOf(as, form)
      const admission: Admission =
        'refusal' in checked
          ? { outcome: 'refused', reason: notNow(poll) ?? checked.refusal }
          : await admit(
              parts,
              poll.id,
              { ...('code' in voter && voter), choices: checked.choice, nonce: form.nonce },
              'rollId' in voter ? voter.rollId : null,
            )
      return answer(request, reply, { poll, form, as }, admission)
    }),
  )

  app.get<{ Querystring: { receipt?: string | string[] } }>('/receipts', async (request, reply) => {
    const { receipt } = request.query
    if (receipt === undefined) return show(reply, 200, 'Look up a receipt', receiptFormPage(null))
    return reply.redirect(`/receipts/${encodeURIComponent(normaliseReceipt(String(receipt)))}`, 303)
  })

  /** Where the poll is "after voting", the receipt is what shows that somebody has voted. */
  const resultsOf = ({ slug, resultsVisible }: BallotOf, receipt: string): string =>
    `${urls().results}/p/${slug}${resultsVisible === 'after-voting' ? `?receipt=${receipt}` : ''}`

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
    const { ballotOf } = found
    const waits = found.status === 'recorded' ? { script: 'receipt.js', refreshSeconds: 2 } : {}
    return show(reply, 200, `Receipt ${receipt}`, receiptPage(receipt, found, resultsOf(ballotOf, receipt)), waits)
  })
}
