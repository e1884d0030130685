import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { IngestParts, Show } from '../app.ts'
import { wordsOf } from '../language.ts'
import { messagePage } from '../pages/message.ts'
import type { Poll } from '../poll-repository.ts'
import { hasClaim, type OidcChecks, type OidcIdentity } from '../sign-in/oidc.ts'
import { showSignIn } from './sign-in-pages.ts'
import { showNoPoll } from './show-message.ts'
import { showVoterSignIn } from './voter-sign-in.ts'

const callbackPath = '/sign-in/callback'

interface OidcAttempt extends OidcChecks {
  readonly redirectUri: string
  /** The poll that a voter signs in to; null: an organiser. */
  readonly poll: string | null
}

/** The name to show: whatever the provider has that a person would recognise. */
function nameOf(claims: { readonly [claim: string]: unknown }): string {
  const found = [claims['name'], claims['preferred_username'], claims['email'], claims['sub']]
  const name = found.find((value): value is string => typeof value === 'string' && value.trim() !== '')
  return (name ?? 'Organiser').slice(0, 100)
}

/** Organisers, and voters of polls that want a claim, sign in through the organisation's provider. */
export function oidcRoutes(app: FastifyInstance, parts: IngestParts, show: Show): void {
  const { polls, roll, oidc, attempts, organisers, sessions, logger, urls } = parts
  if (!oidc) return

  const refuse = (request: FastifyRequest, reply: FastifyReply, poll: Poll | null, status: number, text: string) =>
    poll
      ? showVoterSignIn(parts, show, request, reply, poll, { status, text })
      : showSignIn(parts, show, request, reply, { status, text })

  /** Sends the browser to the provider; for a poll's voter, or for an organiser. */
  const begin = async (request: FastifyRequest, reply: FastifyReply, poll: Poll | null): Promise<FastifyReply> => {
    const redirectUri = `${urls().ballot}${callbackPath}`
    try {
      const { url, checks } = await oidc.begin(redirectUri)
      const attempt: OidcAttempt = { ...checks, redirectUri, poll: poll?.id ?? null }
      await attempts.begin(request, reply, 'oidc', attempt)
      return await reply.redirect(url, 303)
    } catch (error) {
      logger.warn({ event: 'oidc.unavailable', error: String(error) }, 'the OpenID provider does not answer')
      const text = wordsOf(request).say('providerAway', { provider: oidc.name })
      return refuse(request, reply, poll, 503, text)
    }
  }

  /** Somebody whom the provider vouches for may organise if they have the organisers' claim. */
  const enterOrganiser = async (request: FastifyRequest, reply: FastifyReply, identity: OidcIdentity) => {
    if (!oidc.isOrganiser(identity)) {
      logger.warn({ event: 'sign-in.refused', method: 'oidc' }, 'somebody who may not organise polls')
      const words = wordsOf(request)
      const [title, text] = [words.say('notOrganiserTitle'), words.say('notOrganiser', { provider: oidc.name })]
      return show(reply, 403, words.say('notAccepted'), messagePage(words, title, text))
    }
    const { id } = await organisers.ofIdentity(identity.issuer, identity.subject, nameOf(identity.claims))
    await sessions.start(request, reply, { audience: 'organiser', subject: id, method: 'oidc' })
    return reply.redirect('/organiser', 303)
  }

  /** And may vote if they have the claim of the poll. */
  const enterVoter = async (request: FastifyRequest, reply: FastifyReply, poll: Poll, identity: OidcIdentity) => {
    const { eligibility } = poll
    if (eligibility.kind !== 'claim' || !hasClaim(identity, eligibility)) {
      logger.warn({ event: 'sign-in.refused', method: 'oidc' }, 'somebody who may not vote in this poll')
      const words = wordsOf(request)
      const [title, text] = [words.say('notVoterTitle'), words.say('notVoter', { provider: oidc.name })]
      return show(reply, 403, words.say('notAccepted'), messagePage(words, title, text))
    }
    const subject = await roll.listIdentity(poll, identity.issuer, identity.subject)
    await sessions.start(request, reply, { audience: poll.id, subject, method: 'oidc' })
    return reply.redirect(`/p/${poll.slug}`, 303)
  }

  // A link, for a form's redirect to the provider would have to be allowed by the page's policy. All it does is begin.
  app.get('/sign-in/organiser', (request, reply) => begin(request, reply, null))

  app.get<{ Params: { slug: string } }>('/sign-in/voter/:slug', async (request, reply) => {
    const poll = await polls.find(request.params.slug)
    if (poll?.eligibility.kind === 'claim') return begin(request, reply, poll)
    return showNoPoll(show, request, reply)
  })

  app.get(callbackPath, async (request, reply) => {
    const attempt = await attempts.take<OidcAttempt>(request, reply, 'oidc')
    const words = wordsOf(request)
    const late = words.say('providerLate')
    if (!attempt) return refuse(request, reply, null, 403, late)
    const poll = attempt.poll === null ? null : await polls.find(attempt.poll)
    const query = request.url.split('?')[1] ?? ''
    let identity: OidcIdentity
    try {
      identity = await oidc.end(`${attempt.redirectUri}?${query}`, attempt)
    } catch (error) {
      logger.warn({ event: 'sign-in.refused', method: 'oidc', error: String(error) }, 'a sign-in did not fit')
      return refuse(request, reply, poll, 403, words.say('providerRefused', { provider: oidc.name }))
    }
    if (attempt.poll === null) return enterOrganiser(request, reply, identity)
    return poll ? enterVoter(request, reply, poll, identity) : refuse(request, reply, null, 403, late)
  })
}
