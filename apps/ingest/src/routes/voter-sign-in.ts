import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { IngestParts, Show } from '../app.ts'
import { formFields } from '../form-fields.ts'
import { wordsOf } from '../language.ts'
import { messagePage } from '../pages/message.ts'
import { addressPage, confirmPage, mailSentPage, otherBrowserPage, providerPage } from '../pages/voter-sign-in.ts'
import type { Poll } from '../poll-repository.ts'
import { isSameSecret } from '../same-secret.ts'
import type { AddressLimiter } from '../address-limiter.ts'
import type { MailSignIn } from '../sign-in/mail-sign-in.ts'
import { isAddress } from '../voter-roll.ts'
import { showMessage, showNoPoll } from './show-message.ts'

type SlugRequest = FastifyRequest<{ Params: { slug: string } }>

/** Asks a voter to sign in, in the way that the poll wants. */
export function showVoterSignIn(
  parts: IngestParts,
  show: Show,
  request: FastifyRequest,
  reply: FastifyReply,
  poll: Poll,
  problem: { readonly status: number; readonly text: string } | null,
): FastifyReply {
  const { status = 200, text = null } = problem ?? {}
  const words = wordsOf(request)
  if (poll.eligibility.kind === 'addresses' && parts.mailSignIn) {
    return show(reply, status, poll.title, addressPage(words, poll, '', text))
  }
  if (poll.eligibility.kind === 'claim' && parts.oidc) {
    return show(reply, status, poll.title, providerPage(words, poll, parts.oidc.name, text))
  }
  return show(reply, 503, poll.title, messagePage(words, poll.title, words.say('signInImpossible')))
}

/** Voters whose address is listed sign in by mail; all who have signed in may leave, on a device that others use. */
export function voterSignIn(app: FastifyInstance, parts: IngestParts, show: Show): void {
  const { polls, sessions, limiter, mailLimiter, urls } = parts

  const withMail = async (
    request: SlugRequest,
    reply: FastifyReply,
    use: (poll: Poll, mail: MailSignIn) => Promise<FastifyReply>,
  ): Promise<FastifyReply> => {
    const poll = await polls.find(request.params.slug)
    if (!poll || poll.eligibility.kind !== 'addresses' || !parts.mailSignIn) {
      return showNoPoll(show, request, reply)
    }
    return use(poll, parts.mailSignIn)
  }
  /** The answer to who has gone on too long, of guesses or of mails; null: it is not so yet. */
  const tooOften = (
    request: FastifyRequest,
    reply: FastifyReply,
    counter: AddressLimiter,
    text: 'waitAttempts' | 'waitMails',
  ): FastifyReply | null => {
    const waitSeconds = counter.note(request.ip)
    if (waitSeconds === 0) return null
    return showMessage(show, request, reply.header('retry-after', waitSeconds), 429, 'waitTitle', text)
  }

  app.post('/p/:slug/mail', (request: SlugRequest, reply) =>
    withMail(request, reply, async (poll, mail) => {
      const { address = '' } = formFields(request)
      if (!isAddress(address)) {
        const words = wordsOf(request)
        return show(reply, 400, poll.title, addressPage(words, poll, address.slice(0, 300), words.say('badAddress')))
      }
      // Counted whether it is listed or not: else who has asked too often could tell one from the other.
      const refused = tooOften(request, reply, mailLimiter, 'waitMails')
      if (refused) return refused
      const confirmUrl = `${urls().ballot}/p/${poll.slug}/confirm`
      await mail.begin(request, reply, poll, { address, confirmUrl, words: wordsOf(request) })
      return reply.redirect(`/p/${poll.slug}/mail`, 303)
    }),
  )

  app.get('/p/:slug/mail', (request: SlugRequest, reply) =>
    withMail(request, reply, async (poll) => {
      const words = wordsOf(request)
      return show(reply, 200, words.say('lookAtMail'), mailSentPage(words, poll, null))
    }),
  )

  app.get('/p/:slug/confirm', (request: SlugRequest, reply) =>
    withMail(request, reply, async (poll, mail) => {
      const { token } = request.query as { token?: unknown }
      const isHere = typeof token === 'string' && (await mail.hasBegun(request, poll))
      const words = wordsOf(request)
      return show(reply, 200, poll.title, isHere ? confirmPage(words, poll, token) : otherBrowserPage(words, poll))
    }),
  )

  app.post('/p/:slug/confirm', (request: SlugRequest, reply) =>
    withMail(request, reply, async (poll, mail) => {
      const { token = '', code = '' } = formFields(request)
      const confirmed = await mail.confirm(request, reply, poll, token === '' ? { code } : { token })
      if ('codeId' in confirmed) {
        await sessions.start(request, reply, { audience: poll.id, subject: confirmed.codeId, method: 'mail' })
        return reply.redirect(`/p/${poll.slug}`, 303)
      }
      const isGone = confirmed.problem === 'gone'
      const words = wordsOf(request)
      const text = words.say(isGone ? 'mailGone' : 'mailWrong')
      return (
        tooOften(request, reply, limiter, 'waitAttempts') ??
        (isGone
          ? showVoterSignIn(parts, show, request, reply, poll, { status: 403, text })
          : show(reply, 403, words.say('lookAtMail'), mailSentPage(words, poll, text)))
      )
    }),
  )

  app.post('/p/:slug/leave', async (request: SlugRequest, reply) => {
    const poll = await polls.find(request.params.slug)
    const session = poll && (await sessions.current(request, poll.id))
    if (!poll || !session) return showNoPoll(show, request, reply)
    const { form_token = '', everywhere } = formFields(request)
    if (!isSameSecret(form_token, session.formToken)) {
      return showMessage(show, request, reply, 403, 'notAccepted', 'otherSession')
    }
    if (everywhere === 'yes') await sessions.endAll(poll.id, session.subject)
    await sessions.end(request, reply, poll.id)
    return reply.header('clear-site-data', '"cache"').redirect(`/p/${poll.slug}`, 303)
  })
}
