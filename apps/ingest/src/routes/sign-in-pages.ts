import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { IngestParts, Show } from '../app.ts'
import { formFields } from '../form-fields.ts'
import { accountPage } from '../pages/account.ts'
import { messagePage } from '../pages/ballot.ts'
import { signInPage, type SignInWays } from '../pages/sign-in.ts'
import { isSameSecret } from '../same-secret.ts'
import { operatorId } from '../sign-in/organisers.ts'
import { organiserGuard } from './organiser-guard.ts'
import { passkeySiteOf, passkeysAt } from './passkey-routes.ts'

/** How organisers may sign in here, at the address that was asked. */
export const signInWays = (parts: IngestParts, request: FastifyRequest): SignInWays => ({
  provider: parts.oidc?.name ?? null,
  hasToken: parts.tokenSignsIn,
  passkeysAt: passkeysAt(passkeySiteOf(parts, request), '/organiser'),
})

/** Shows the sign-in page, perhaps with what went wrong. */
export const showSignIn = (
  parts: IngestParts,
  show: Show,
  request: FastifyRequest,
  reply: FastifyReply,
  problem: { readonly status: number; readonly text: string } | null,
): FastifyReply => {
  const ways = signInWays(parts, request)
  const script = ways.passkeysAt === null ? { script: 'passkey.js' } : {}
  return show(reply, problem?.status ?? 200, 'For organisers', signInPage(ways, problem?.text ?? null), script)
}

/** Signing in with the token of `npm start`, signing out, and what lets an organiser in. */
export function signInPages(app: FastifyInstance, parts: IngestParts, show: Show): void {
  const { sessions, passkeys, limiter } = parts
  const signedIn = organiserGuard(parts, show)

  app.post('/organiser/session', async (request, reply) => {
    const { organiserToken, tokenSignsIn, logger } = parts
    if (!tokenSignsIn || organiserToken === null) {
      const text = 'Signing in with the token is for development. Use a passkey or your organisation’s provider.'
      return show(reply, 403, 'Not accepted', messagePage('Not accepted', text))
    }
    if (!isSameSecret(formFields(request)['token']?.trim() ?? '', organiserToken)) {
      logger.warn({ event: 'sign-in.refused', method: 'token' }, 'a wrong organiser token')
      const waitSeconds = limiter.fail(request.ip)
      return showSignIn(
        parts,
        show,
        request,
        reply,
        waitSeconds > 0
          ? { status: 429, text: 'Too many wrong tokens from here. Wait a minute.' }
          : { status: 401, text: 'This is not the organiser token.' },
      )
    }
    await sessions.start(request, reply, { audience: 'organiser', subject: operatorId, method: 'token' })
    return reply.redirect('/organiser', 303)
  })

  app.post('/organiser/session/end', (request, reply) =>
    signedIn(request, reply, async () => {
      await sessions.end(request, reply, 'organiser')
      return reply.header('clear-site-data', '"cache"').redirect('/organiser', 303)
    }),
  )

  app.get('/organiser/account', (request, reply) =>
    signedIn(request, reply, async ({ organiser, session }) => {
      const at = passkeysAt(passkeySiteOf(parts, request), '/organiser/account')
      const body = accountPage({
        name: organiser.name,
        formToken: session.formToken,
        sessions: await sessions.list('organiser', organiser.id),
        currentIdHash: session.idHash,
        passkeys: await passkeys.list(organiser.id),
        passkeysAt: at,
      })
      return show(reply, 200, 'Your account', body, at === null ? { script: 'passkey.js' } : {})
    }),
  )

  const noSuch = (reply: FastifyReply, what: string): FastifyReply =>
    show(reply, 404, 'Not found', messagePage(`You have no such ${what}`, 'It may have ended in the meantime.'))

  type SessionRequest = FastifyRequest<{ Params: { session: string } }>
  app.post('/organiser/sessions/:session/end', (request: SessionRequest, reply) =>
    signedIn(request, reply, async ({ organiser }) => {
      const isEnded = await sessions.endOf('organiser', organiser.id, request.params.session)
      return isEnded ? reply.redirect('/organiser/account', 303) : noSuch(reply, 'session')
    }),
  )

  type PasskeyRequest = FastifyRequest<{ Params: { passkey: string } }>
  app.post('/organiser/passkeys/:passkey/remove', (request: PasskeyRequest, reply) =>
    signedIn(request, reply, async ({ organiser }) => {
      const isRemoved = await passkeys.remove(organiser.id, request.params.passkey)
      return isRemoved ? reply.redirect('/organiser/account', 303) : noSuch(reply, 'passkey')
    }),
  )
}
