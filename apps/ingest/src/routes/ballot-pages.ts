import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Admission, admit, choiceRefusal, fateAfterClose, type Refusal, rollRowOf } from '../admission.ts'
import type { IngestParts, Show } from '../app.ts'
import { formFields } from '../form-fields.ts'
import { type BallotForm, ballotFormOf, choiceOfForm, newNonce } from '../ballot-form.ts'
import { inNamedLanguage, wordsOf } from '../language.ts'
import { ballotPage, type FormProblem, pollListPage, reviewPage } from '../pages/ballot.ts'
import { html } from '../pages/html.ts'
import { messagePage } from '../pages/message.ts'
import { receiptFormPage, receiptPage } from '../pages/receipt.ts'
import type { Poll } from '../poll-repository.ts'
import type { BallotOf } from '../receipts.ts'
import { isGuess, refusals } from '../refusals.ts'
import { isSameSecret } from '../same-secret.ts'
import { voterOf, type VotingAs, votingAs } from '../voting-as.ts'
import { normaliseReceipt } from './api.ts'
import { showMessage, showNoPoll } from './show-message.ts'
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
  'overloaded',
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
    const waitSeconds = request.method === 'POST' ? limiter.note(request.ip) : 0
    if (waitSeconds === 0) return showNoPoll(show, request, reply)
    return showMessage(show, request, reply.header('retry-after', waitSeconds), 429, 'waitTitle', 'waitForms')
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

  app.get('/', async (request, reply) => {
    const words = wordsOf(request)
    return show(reply, 200, words.say('voteTitle'), pollListPage(words, await polls.open()))
  })

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
        const text = wordsOf(request).say('signedOutMeanwhile')
        return showVoterSignIn(parts, show, request, reply, poll, isForm ? { status: 403, text } : null)
      }
      if (isForm && as.kind === 'signed-in' && !isSameSecret(formFields(request)['form_token'] ?? '', as.formToken)) {
        return showMessage(show, request, reply, 403, 'notAccepted', 'otherSession')
      }
      return use(poll, as)
    })

  app.get('/p/:slug', (request: SlugRequest, reply) =>
    withPoll(request, reply, async (poll) => {
      const closed = notNow(poll)
      const words = wordsOf(request)
      if (closed) {
        const link = html`<a href="${inNamedLanguage(request, `${urls().results}/p/${poll.slug}`)}"
          >${words.say('resultsLink')}</a
        >`
        const text = words.say(closed === 'closed' ? 'pollClosed' : 'pollNotOpen')
        return show(reply, 200, poll.title, messagePage(words, poll.title, text, link))
      }
      return withVoter(request, reply, async (_poll, as) =>
        show(
          reply,
          200,
          poll.title,
          ballotPage(words, poll, ballotFormOf(null), null, as),
          as.kind === 'code' ? { script: 'code-from-link.js' } : {},
        ),
      )
    }),
  )

  // Browsers carry what is behind a # over to where they are sent.
  app.get<{ Params: { short: string } }>('/s/:short', async (request, reply) => {
    const poll = await polls.findByShortCode(request.params.short)
    return poll ? reply.redirect(`/p/${poll.slug}`, 302) : showNoPoll(show, request, reply)
  })

  app.post('/p/:slug', (request: SlugRequest, reply) =>
    withVoter(request, reply, async (poll, as) =>
      show(reply, 200, poll.title, ballotPage(wordsOf(request), poll, ballotFormOf(request.body), null, as)),
    ),
  )

  /** 429 when an address has guessed too often; a valid ballot is never refused. */
  const tooMany = (reply: FastifyReply, waitSeconds: number, { poll, form, as }: Sent): FastifyReply => {
    const words = wordsOf(reply.request)
    return show(
      reply.header('retry-after', waitSeconds),
      429,
      words.say('problemTitle', { title: poll.title }),
      ballotPage(words, poll, form, { text: words.say('waitCodes'), field: 'code' }, as),
    )
  }

  const answer = (request: SlugRequest, reply: FastifyReply, sent: Sent, admission: Admission): FastifyReply => {
    const { poll, form, as } = sent
    if (admission.outcome === 'recorded') {
      metrics.submissions.inc({ result: admission.isRepeat ? 'repeated' : 'recorded' })
      return reply.redirect(`/receipts/${admission.receipt}`, 303)
    }
    const { reason } = admission
    const { status, code, retryAfterSeconds } = refusals[reason]
    const words = wordsOf(request)
    const text = words.say(`refusal-${reason}`)
    metrics.submissions.inc({ result: code })
    const waitSeconds = isGuess(reason) ? limiter.note(request.ip) : 0
    if (waitSeconds > 0) return tooMany(reply, waitSeconds, sent)
    if (retryAfterSeconds !== undefined) reply.header('retry-after', retryAfterSeconds)
    // What can be mended by sending the same form again stays on the review page, with the choice in it.
    const field = fieldOf[reason] ?? null
    const body = mendedByRepeat.has(reason)
      ? reviewPage(words, poll, form, text, as)
      : ballotPage(
          words,
          poll,
          reason === 'nonce-reused' ? { ...form, nonce: newNonce() } : form,
          { text, field: field === 'code' && as.kind !== 'code' ? null : field },
          as,
        )
    return show(reply, status, words.say('problemTitle', { title: poll.title }), body)
  }

  const fateOf = async ({ poll, form, as }: Sent): Promise<Admission> => {
    const checked = choiceOfForm(form)
    if ('refusal' in checked) return { outcome: 'refused', reason: 'closed' }
    return fateAfterClose(parts, poll, { voter: voterOf(as, form), choice: checked.choice, nonce: form.nonce })
  }

  app.post('/p/:slug/review', (request: SlugRequest, reply) =>
    withVoter(request, reply, async (poll, as) => {
      const words = wordsOf(request)
      const form = ballotFormOf(request.body)
      const checked = choiceOfForm(form)
      const again = (status: number, text: string, field: FormProblem['field']): FastifyReply =>
        show(
          reply,
          status,
          words.say('problemTitle', { title: poll.title }),
          ballotPage(words, poll, form, { text, field }, as),
        )
      const closed = notNow(poll)
      const sent = { poll, form, as }
      // The form may be one that was cast before, and has come back.
      if (closed === 'closed') return answer(request, reply, sent, await fateOf(sent))
      if (closed) return again(refusals[closed].status, words.say(`refusal-${closed}`), null)
      if (as.kind === 'code' && form.code.trim() === '') return again(400, words.say('codeMissing'), 'code')
      const wrong = 'refusal' in checked ? checked.refusal : choiceRefusal(poll, checked.choice)
      if (wrong !== null) return again(400, words.say(`refusal-${wrong}`), 'option')
      const { codeId, isAnybody } = rollRowOf(poll, voterOf(as, form))
      if (!isAnybody && !(await polls.hasCode(poll.id, codeId))) {
        return answer(request, reply, sent, { outcome: 'refused', reason: 'bad-code' })
      }
      return show(reply, 200, words.say('review'), reviewPage(words, poll, form, null, as))
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
    const words = wordsOf(request)
    if (receipt === undefined) return show(reply, 200, words.say('lookUpReceipt'), receiptFormPage(words, null))
    return reply.redirect(`/receipts/${encodeURIComponent(normaliseReceipt(String(receipt)))}`, 303)
  })

  /** Where the poll is "after voting", the receipt is what shows that somebody has voted. */
  const resultsOf = ({ slug, resultsVisible }: BallotOf, receipt: string): string =>
    `${urls().results}/p/${slug}${resultsVisible === 'after-voting' ? `?receipt=${receipt}` : ''}`

  app.get<{ Params: { receipt: string } }>('/receipts/:receipt', async (request, reply) => {
    const receipt = normaliseReceipt(request.params.receipt)
    const words = wordsOf(request)
    const found = await receipts.find(receipt)
    if (!found) {
      const waitSeconds = limiter.note(request.ip)
      const [status, text] = waitSeconds > 0 ? [429, words.say('waitReceipts')] : [404, words.say('unknownReceipt')]
      if (waitSeconds > 0) reply.header('retry-after', waitSeconds)
      return show(reply, status, words.say('unknownReceiptTitle'), receiptFormPage(words, text, request.params.receipt))
    }
    const { ballotOf } = found
    const waits = found.status === 'recorded' ? { script: 'receipt.js', refreshSeconds: 2 } : {}
    const resultsUrl = inNamedLanguage(request, resultsOf(ballotOf, receipt))
    const title = words.say('receiptTitle', { receipt })
    return show(reply, 200, title, receiptPage(words, receipt, found, resultsUrl), waits)
  })
}
