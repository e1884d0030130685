import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { IngestParts, Show } from '../app.ts'
import { messagePage } from '../pages/ballot.ts'
import type { OidcChecks } from '../sign-in/oidc.ts'
import { showSignIn } from './sign-in-pages.ts'

const callbackPath = '/sign-in/callback'

interface OidcAttempt extends OidcChecks {
  readonly redirectUri: string
}

/** The name to show: whatever the provider has that a person would recognise. */
function nameOf(claims: { readonly [claim: string]: unknown }): string {
  const found = [claims['name'], claims['preferred_username'], claims['email'], claims['sub']]
  const name = found.find((value): value is string => typeof value === 'string' && value.trim() !== '')
  return (name ?? 'Organiser').slice(0, 100)
}

/** Organisers sign in through the organisation's provider. */
export function oidcRoutes(app: FastifyInstance, parts: IngestParts, show: Show): void {
  const { oidc, attempts, organisers, sessions, logger, urls } = parts
  if (!oidc) return

  const refuse = (request: FastifyRequest, reply: FastifyReply, status: number, text: string): FastifyReply =>
    showSignIn(parts, show, request, reply, { status, text })

  // A link, for a form's redirect to the provider would have to be allowed by the page's policy. All it does is begin.
  app.get('/sign-in/organiser', async (request, reply) => {
    const redirectUri = `${urls().ballot}${callbackPath}`
    try {
      const { url, checks } = await oidc.begin(redirectUri)
      await attempts.begin(request, reply, 'oidc', { ...checks, redirectUri })
      return await reply.redirect(url, 303)
    } catch (error) {
      logger.warn({ event: 'oidc.unavailable', error: String(error) }, 'the OpenID provider does not answer')
      return refuse(request, reply, 503, `${oidc.name} does not answer at the moment. Try again in a minute.`)
    }
  })

  app.get(callbackPath, async (request, reply) => {
    const attempt = await attempts.take<OidcAttempt>(request, reply, 'oidc')
    if (!attempt) return refuse(request, reply, 403, 'This sign-in was not begun in this browser, or took too long.')
    const query = request.url.split('?')[1] ?? ''
    let identity
    try {
      identity = await oidc.end(`${attempt.redirectUri}?${query}`, attempt)
    } catch (error) {
      logger.warn({ event: 'sign-in.refused', method: 'oidc', error: String(error) }, 'a sign-in did not fit')
      return refuse(request, reply, 403, `${oidc.name} did not sign you in. Try again.`)
    }
    if (!oidc.isOrganiser(identity)) {
      logger.warn({ event: 'sign-in.refused', method: 'oidc' }, 'somebody who may not organise polls')
      const text = `${oidc.name} knows you, but you may not organise polls here. Whoever runs this can change that.`
      return show(reply, 403, 'Not accepted', messagePage('You may not organise polls', text))
    }
    const { id } = await organisers.ofIdentity(identity.issuer, identity.subject, nameOf(identity.claims))
    await sessions.start(request, reply, { audience: 'organiser', subject: id, method: 'oidc' })
    return reply.redirect('/organiser', 303)
  })
}
