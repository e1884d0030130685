import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { IngestParts, Show } from '../app.ts'
import { formFields } from '../form-fields.ts'
import { messagePage } from '../pages/ballot.ts'
import { addressPage, confirmPage, mailSentPage, otherBrowserPage, providerPage } from '../pages/voter-sign-in.ts'
import type { Poll } from '../poll-repository.ts'
import { refusals } from '../refusals.ts'
import { isSameSecret } from '../same-secret.ts'
import type { MailSignIn } from '../sign-in/mail-sign-in.ts'
import { isAddress } from '../voter-roll.ts'

type SlugRequest = FastifyRequest<{ Params: { slug: string } }>

/** Asks a voter to sign in, in the way that the poll wants. */
export function showVoterSignIn(
  parts: IngestParts,
  show: Show,
  reply: FastifyReply,
  poll: Poll,
  problem: { readonly status: number; readonly text: string } | null,
): FastifyReply {
  const { status = 200, text = null } = problem ?? {}
  if (poll.eligibility.kind === 'addresses' && parts.mailSignIn) {
    return show(reply, status, poll.title, addressPage(poll, '', text))
  }
  if (poll.eligibility.kind === 'claim' && parts.oidc) {
    return show(reply, status, poll.title, providerPage(poll, parts.oidc.name, text))
  }
  const missing = 'Signing in to this poll is not possible at the moment. Whoever runs this has to set it up again.'
  return show(reply, 503, poll.title, messagePage(poll.title, missing))
}

/** Voters whose address is listed sign in by mail; all who have signed in may leave, on a device that others use. */
export function voterSignIn(app: FastifyInstance, parts: IngestParts, show: Show): void {
  const { polls, sessions, limiter, urls } = parts

  const notFound = (reply: FastifyReply): FastifyReply =>
    show(reply, 404, 'No such poll', messagePage('There is no such poll', refusals['unknown-poll'].voter))
  const withMail = async (
    request: SlugRequest,
    reply: FastifyReply,
    use: (poll: Poll, mail: MailSignIn) => Promise<FastifyReply>,
  ): Promise<FastifyReply> => {
    const poll = await polls.find(request.params.slug)
    if (!poll || poll.eligibility.kind !== 'addresses' || !parts.mailSignIn) return notFound(reply)
    return use(poll, parts.mailSignIn)
  }
  const tooOften = (request: FastifyRequest, reply: FastifyReply): FastifyReply | null => {
    const waitSeconds = limiter.fail(request.ip)
    if (waitSeconds === 0) return null
    const text = 'Too many attempts from here. Wait a minute and try again.'
    return show(reply.header('retry-after', waitSeconds), 429, 'Wait a minute', messagePage('Wait a minute', text))
  }

  app.post('/p/:slug/mail', (request: SlugRequest, reply) =>
    withMail(request, reply, async (poll, mail) => {
      const { address = '' } = formFields(request)
      if (!isAddress(address)) {
        const text = 'This is not an e-mail address. Enter one such as name@example.org.'
        return show(reply, 400, poll.title, addressPage(poll, address.slice(0, 300), text))
      }
      // Counted whether it is listed or not: else who has asked too often could tell one from the other.
      const refused = tooOften(request, reply)
      if (refused) return refused
      await mail.begin(request, reply, poll, { address, confirmUrl: `${urls().ballot}/p/${poll.slug}/confirm` })
      return reply.redirect(`/p/${poll.slug}/mail`, 303)
    }),
  )

  app.get('/p/:slug/mail', (request: SlugRequest, reply) =>
    withMail(request, reply, async (poll) => show(reply, 200, 'Look at your mail', mailSentPage(poll, null))),
  )

  app.get('/p/:slug/confirm', (request: SlugRequest, reply) =>
    withMail(request, reply, async (poll, mail) => {
      const { token } = request.query as { token?: unknown }
      const isHere = typeof token === 'string' && (await mail.hasBegun(request, poll))
      return show(reply, 200, poll.title, isHere ? confirmPage(poll, token) : otherBrowserPage(poll))
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
      const text = isGone
        ? 'What the mail brought was used, is too old, or was mistyped too often. Ask for another mail.'
        : 'This is not the code from the newest mail. Check it for typing mistakes.'
      return (
        tooOften(request, reply) ??
        (isGone
          ? showVoterSignIn(parts, show, reply, poll, { status: 403, text })
          : show(reply, 403, 'Look at your mail', mailSentPage(poll, text)))
      )
    }),
  )

  app.post('/p/:slug/leave', async (request: SlugRequest, reply) => {
    const poll = await polls.find(request.params.slug)
    const session = poll && (await sessions.current(request, poll.id))
    if (!poll || !session) return notFound(reply)
    if (!isSameSecret(formFields(request)['form_token'] ?? '', session.formToken)) {
      const text = 'This form belongs to another session. Open the page again.'
      return show(reply, 403, 'Not accepted', messagePage('Not accepted', text))
    }
    await sessions.end(request, reply, poll.id)
    return reply.header('clear-site-data', '"cache"').redirect(`/p/${poll.slug}`, 303)
  })
}
