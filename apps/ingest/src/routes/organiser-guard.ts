import type { FastifyReply, FastifyRequest } from 'fastify'
import type { IngestParts, Show } from '../app.ts'
import { formFields } from '../form-fields.ts'
import { isSameSecret } from '../same-secret.ts'
import type { Organiser } from '../sign-in/organisers.ts'
import type { Session } from '../sign-in/sessions.ts'
import { showMessage } from './show-message.ts'

/** Who asks. */
export interface SignedIn {
  readonly organiser: Organiser
  readonly session: Session
}

export type WithOrganiser = (
  request: FastifyRequest,
  reply: FastifyReply,
  use: (by: SignedIn) => Promise<FastifyReply>,
) => Promise<FastifyReply>

/** Who is signed in, or null. */
export async function signedInOrganiser(parts: IngestParts, request: FastifyRequest): Promise<SignedIn | null> {
  const session = await parts.sessions.current(request, 'organiser')
  const organiser = session && (await parts.organisers.find(session.subject))
  return session && organiser ? { session, organiser } : null
}

/**
 * Lets through who is signed in, and forms that carry the token of their session. That an unsafe request comes from our own
 * pages was checked before, for all routes.
 */
export function organiserGuard(parts: IngestParts, show: Show): WithOrganiser {
  return async (request, reply, use) => {
    const isUnsafe = request.method === 'POST'
    const by = await signedInOrganiser(parts, request)
    if (!by) {
      return isUnsafe
        ? showMessage(show, request, reply, 403, 'notAccepted', 'signedOut')
        : reply.redirect('/organiser', 303)
    }
    if (isUnsafe && !isSameSecret(formFields(request)['form_token'] ?? '', by.session.formToken)) {
      return showMessage(show, request, reply, 403, 'notAccepted', 'otherSession')
    }
    return use(by)
  }
}
