import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Voter } from './admission.ts'
import type { BallotForm } from './ballot-form.ts'
import type { Poll } from './poll-repository.ts'
import { type Cookies, newSecret } from './sign-in/cookies.ts'
import type { Sessions } from './sign-in/sessions.ts'

/** As whom a browser votes in a poll: by the code in its form, as anybody, or as who is signed in. */
export type VotingAs =
  | { readonly kind: 'code' }
  | { readonly kind: 'anybody'; readonly secret: string }
  | { readonly kind: 'signed-in'; readonly rollId: string; readonly formToken: string; readonly hasOthers: boolean }

const linkCookie = 'link-voter'
/** Longer than such a poll is open: forgetting it would let the browser vote once more. */
const linkCookieDays = 180

/** null: whoever uses this browser has to sign in first. A browser in a poll for anyone gets a name if it has none. */
export async function votingAs(
  { cookies, sessions }: { readonly cookies: Cookies; readonly sessions: Sessions },
  poll: Poll,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<VotingAs | null> {
  const { kind } = poll.eligibility
  if (kind === 'codes') return { kind: 'code' }
  if (kind === 'link') {
    const known = cookies.get(request, linkCookie)
    const secret = known ?? newSecret()
    if (known === undefined) cookies.set(request, reply, linkCookie, secret, linkCookieDays)
    return { kind: 'anybody', secret }
  }
  const session = await sessions.current(request, poll.id)
  if (session === null) return null
  const { subject: rollId, formToken, hasOthers } = session
  return { kind: 'signed-in', rollId, formToken, hasOthers }
}

/** The voter of a form that was sent so. */
export function voterOf(as: VotingAs, { code }: BallotForm): Voter {
  switch (as.kind) {
    case 'code':
      return { code }
    case 'anybody':
      return { code: as.secret }
    case 'signed-in':
      return { rollId: as.rollId }
  }
}
