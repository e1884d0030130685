import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { IngestParts, Show } from '../app.ts'
import { formFields } from '../form-fields.ts'
import { accountPage } from '../pages/account.ts'
import { wordsOf } from '../language.ts'
import { organiserBar } from '../pages/organiser-bar.ts'
import { signInPage, type SignInWays } from '../pages/sign-in.ts'
import { isSameSecret } from '../same-secret.ts'
import { operatorId } from '../sign-in/organisers.ts'
import { organiserGuard, type SignedIn } from './organiser-guard.ts'
import { passkeySiteOf, passkeysAt } from './passkey-routes.ts'
import { showMessage } from './show-message.ts'

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
  const words = wordsOf(request)
  const title = words.say('forOrganisers')
  return show(reply, problem?.status ?? 200, title, signInPage(words, ways, problem?.text ?? null), script)
}

/** Signing in with the token of `npm start`, signing out, and what lets an organiser in. */
export function signInPages(app: FastifyInstance, parts: IngestParts, show: Show): void {
  const { sessions, passkeys, limiter } = parts
  const signedIn = organiserGuard(parts, show)

  app.post('/organiser/session', async (request, reply) => {
    const { organiserToken, tokenSignsIn, logger } = parts
    if (!tokenSignsIn || organiserToken === null) {
      return showMessage(show, request, reply, 403, 'notAccepted', 'tokenClosed')
    }
    if (!isSameSecret(formFields(request)['token']?.trim() ?? '', organiserToken)) {
      logger.warn({ event: 'sign-in.refused', method: 'token' }, 'a wrong organiser token')
      const waitSeconds = limiter.note(request.ip)
      return showSignIn(
        parts,
        show,
        request,
        reply,
        waitSeconds > 0
          ? { status: 429, text: wordsOf(request).say('tokenWait') }
          : { status: 401, text: wordsOf(request).say('tokenWrong') },
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

  const account = async (
    request: FastifyRequest,
    reply: FastifyReply,
    { organiser, session }: SignedIn,
    problem: { readonly status: number; readonly text: string } | null,
  ): Promise<FastifyReply> => {
    const at = passkeysAt(passkeySiteOf(parts, request), '/organiser/account')
    const words = wordsOf(request)
    const body = accountPage(words, {
      bar: organiserBar(words, organiser.name, session.formToken),
      formToken: session.formToken,
      sessions: await sessions.list('organiser', organiser.id),
      currentIdHash: session.idHash,
      passkeys: await passkeys.list(organiser.id),
      passkeysAt: at,
      problem: problem?.text ?? null,
    })
    const script = at === null ? { script: 'passkey.js' } : {}
    return show(reply, problem?.status ?? 200, words.say('accountTitle'), body, script)
  }
  app.get('/organiser/account', (request, reply) => signedIn(request, reply, (by) => account(request, reply, by, null)))

  type SessionRequest = FastifyRequest<{ Params: { session: string } }>
  app.post('/organiser/sessions/:session/end', (request: SessionRequest, reply) =>
    signedIn(request, reply, async ({ organiser }) => {
      const isEnded = await sessions.endOf('organiser', organiser.id, request.params.session)
      if (isEnded) return reply.redirect('/organiser/account', 303)
      return showMessage(show, request, reply, 404, 'noSessionTitle', 'endedMeanwhile')
    }),
  )

  type PasskeyRequest = FastifyRequest<{ Params: { passkey: string } }>
  app.post('/organiser/passkeys/:passkey/remove', (request: PasskeyRequest, reply) =>
    signedIn(request, reply, async (by) => {
      const { id } = by.organiser
      const mayBeNone = await parts.organisers.hasAnotherWay(id, { provider: parts.oidc !== null })
      const removal = await passkeys.remove(id, request.params.passkey, mayBeNone)
      if (removal === 'removed') return reply.redirect('/organiser/account', 303)
      if (removal === 'unknown') return showMessage(show, request, reply, 404, 'noPasskeyTitle', 'endedMeanwhile')
      return account(request, reply, by, { status: 409, text: wordsOf(request).say('lastPasskey') })
    }),
  )
}
