import { isIP } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { IngestParts, Show } from '../app.ts'
import { formFields } from '../form-fields.ts'
import { wordsOf } from '../language.ts'
import type { PlainKey } from '../messages/index.ts'
import { joinPage } from '../pages/sign-in.ts'
import { isSameSecret } from '../same-secret.ts'
import type { Organiser } from '../sign-in/organisers.ts'
import type { PasskeySite } from '../sign-in/passkeys.ts'
import { sendProblem, tooMany } from './api.ts'
import { signedInOrganiser } from './organiser-guard.ts'

/** The site that passkeys are for: the public address, else the one that was asked. */
export const passkeySiteOf = ({ publicUrl }: IngestParts, request: FastifyRequest): PasskeySite =>
  siteOf(publicUrl ?? `${request.protocol}://${request.host}`)

export function siteOf(url: string): PasskeySite {
  const { origin, hostname } = new URL(url)
  return { origin, hostname }
}

/** Where a page is to be opened for passkeys to work: browsers tie them to a name, and a number is none. null: here. */
export function passkeysAt({ origin, hostname }: PasskeySite, path: string): string | null {
  if (isIP(hostname.replace(/^\[|\]$/g, '')) === 0) return null
  const { port, protocol } = new URL(origin)
  return `${protocol}//localhost${port && `:${port}`}${path}`
}

/** What the pages' script asks for: to sign in with a passkey, and to add one, by invitation or when signed in. */
export function passkeyRoutes(app: FastifyInstance, parts: IngestParts, show: Show): void {
  const { passkeys, organisers, sessions, attempts, limiter, logger } = parts

  /** The page's script shows the title to whoever has pressed its button. */
  const refuse = (request: FastifyRequest, reply: FastifyReply, key: PlainKey): FastifyReply => {
    logger.warn({ event: 'sign-in.refused', method: 'passkey' }, 'a passkey, or an invitation, was refused')
    const waitSeconds = limiter.note(request.ip)
    const { say } = wordsOf(request)
    if (waitSeconds > 0) return sendProblem(reply, { ...tooMany(waitSeconds), title: say('passkeyTooMany') })
    return sendProblem(reply, { status: 403, code: 'not-signed-in', title: say(key) })
  }

  /** Who may add a passkey: who is signed in and sends a form of the session, or who is invited. */
  const whoAdds = async (
    request: FastifyRequest,
  ): Promise<{ organiser: Organiser; invitation: string | null } | null> => {
    const { form_token = '', invitation = '' } = formFields(request)
    if (invitation !== '') {
      const organiser = await organisers.invited(invitation)
      return organiser && { organiser, invitation }
    }
    const by = await signedInOrganiser(parts, request)
    return by && isSameSecret(form_token, by.session.formToken) ? { organiser: by.organiser, invitation: null } : null
  }
  const notInvited = 'passkeyNotInvited'

  app.get('/organiser/join', async (request, reply) => {
    const words = wordsOf(request)
    return show(reply, 200, words.say('invitedTitle'), joinPage(words), { script: 'passkey.js' })
  })

  app.post('/organiser/session/passkey/options', async (request, reply) => {
    const options = await passkeys.signInOptions(passkeySiteOf(parts, request))
    await attempts.begin(request, reply, 'passkey-use', { challenge: options.challenge })
    return reply.header('cache-control', 'no-store').send(options)
  })

  app.post('/organiser/session/passkey', async (request, reply) => {
    const attempt = await attempts.take<{ challenge: string }>(request, reply, 'passkey-use')
    const { response } = (request.body ?? {}) as { response?: unknown }
    const used = attempt && (await passkeys.signIn(passkeySiteOf(parts, request), attempt.challenge, response))
    if (used === null) return refuse(request, reply, 'passkeyUnknown')
    const { organiserId: subject, credentialId } = used
    await sessions.start(request, reply, { audience: 'organiser', subject, method: 'passkey', credentialId })
    return reply.header('cache-control', 'no-store').send({ location: '/organiser' })
  })

  app.post('/organiser/passkeys/options', async (request, reply) => {
    const who = await whoAdds(request)
    if (!who) return refuse(request, reply, notInvited)
    const options = await passkeys.registrationOptions(passkeySiteOf(parts, request), who.organiser)
    await attempts.begin(request, reply, 'passkey-add', { challenge: options.challenge, organiser: who.organiser.id })
    return reply.header('cache-control', 'no-store').send(options)
  })

  app.post('/organiser/passkeys', async (request, reply) => {
    const attempt = await attempts.take<{ challenge: string; organiser: string }>(request, reply, 'passkey-add')
    const who = await whoAdds(request)
    if (!attempt || who?.organiser.id !== attempt.organiser) return refuse(request, reply, notInvited)
    const { response } = (request.body ?? {}) as { response?: unknown }
    const { organiser, invitation } = who
    const asked = { organiserId: organiser.id, challenge: attempt.challenge }
    const credentialId = await passkeys.add(passkeySiteOf(parts, request), asked, response, async () =>
      invitation === null ? true : organisers.useInvitation(invitation),
    )
    if (credentialId === null) return refuse(request, reply, 'passkeyUnusable')
    if (invitation === null) return reply.send({ location: '/organiser/account' })
    const { id: subject } = organiser
    await sessions.start(request, reply, { audience: 'organiser', subject, method: 'passkey', credentialId })
    return reply.send({ location: '/organiser' })
  })
}
