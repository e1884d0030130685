import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { IngestParts, Show } from '../app.ts'
import { codesMax } from '../organiser-desk.ts'
import { messagePage } from '../pages/ballot.ts'
import { emptyPollForm, type NewPollForm, organiserPage, organiserPollPage, signInPage } from '../pages/organiser.ts'
import { ControlNotRecordedError } from '../poll-control.ts'
import { checkPollInput } from '../poll-input.ts'
import type { Poll } from '../poll-repository.ts'
import { isSameOrigin } from '../same-origin.ts'
import { isSameSecret } from './api.ts'

/** A year: whoever wants more has mistyped. */
const openHoursMax = 8760

const lines = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')

/** Pages for organisers. Every form is checked: same site, a session, and the session's own token. */
export function organiserPages(app: FastifyInstance, parts: IngestParts, show: Show): void {
  const { polls, desk, sessions, organiserToken, limiter, urls } = parts

  const fields = (request: FastifyRequest): Record<string, string> => {
    const body = (typeof request.body === 'object' && request.body !== null ? request.body : {}) as Record<
      string,
      unknown
    >
    return Object.fromEntries(
      Object.entries(body).map(([name, value]) => [name, typeof value === 'string' ? value : '']),
    )
  }
  const refuse = (reply: FastifyReply, text: string): FastifyReply =>
    show(reply, 403, 'Not accepted', messagePage('Not accepted', text))

  const signedIn = async (
    request: FastifyRequest,
    reply: FastifyReply,
    use: (formToken: string) => Promise<FastifyReply>,
  ): Promise<FastifyReply> => {
    const isUnsafe = request.method === 'POST'
    if (isUnsafe && !isSameOrigin(request)) return refuse(reply, 'This form was sent from another site.')
    const session = await sessions.current(request)
    if (!session)
      return isUnsafe
        ? refuse(reply, 'You are not signed in any more. Sign in again.')
        : reply.redirect('/organiser', 303)
    const formToken = sessions.formToken(session)
    if (isUnsafe && !isSameSecret(fields(request)['form_token'] ?? '', formToken)) {
      return refuse(reply, 'This form belongs to another session. Open the page again.')
    }
    return use(formToken)
  }

  app.get('/organiser', async (request, reply) => {
    const session = await sessions.current(request)
    if (!session) return show(reply, 200, 'For organisers', signInPage(null))
    return show(
      reply,
      200,
      'Your polls',
      organiserPage(await polls.all(), emptyPollForm, sessions.formToken(session), null),
    )
  })

  app.post('/organiser/session', async (request, reply) => {
    if (!isSameOrigin(request)) return refuse(reply, 'This form was sent from another site.')
    if (!isSameSecret(fields(request)['token']?.trim() ?? '', organiserToken)) {
      const waitSeconds = limiter.fail(request.ip)
      const text =
        waitSeconds > 0 ? 'Too many wrong tokens from here. Wait a minute.' : 'This is not the organiser token.'
      return show(reply, waitSeconds > 0 ? 429 : 401, 'For organisers', signInPage(text))
    }
    await sessions.signIn(request, reply)
    return reply.redirect('/organiser', 303)
  })

  app.post('/organiser/session/end', (request, reply) =>
    signedIn(request, reply, async () => {
      await sessions.signOut(request, reply)
      return reply.header('clear-site-data', '"cache"').redirect('/organiser', 303)
    }),
  )

  app.post('/organiser/polls', (request, reply) =>
    signedIn(request, reply, async (formToken) => {
      const {
        title = '',
        options = '',
        regions = '',
        opens = '',
        hours = '',
        electorate = '',
        revote = '',
      } = fields(request)
      const form: NewPollForm = { title, options, regions, opens, hours, electorate, revote }
      const nowMs = Date.now()
      const opensAtMs = opens === '' ? nowMs : Date.parse(`${opens}Z`)
      const openHours = Number(hours)
      const isLength = openHours > 0 && openHours <= openHoursMax
      const closesAtMs = opensAtMs + openHours * 3_600_000
      const checked = checkPollInput(
        {
          title: title.trim(),
          options: lines(options).map((label, i) => ({ id: `o${i + 1}`, label })),
          regions: lines(regions),
          opensAt: Number.isNaN(opensAtMs) ? opens : new Date(opensAtMs).toISOString(),
          closesAt: !isLength || Number.isNaN(closesAtMs) ? '' : new Date(closesAtMs).toISOString(),
          electorate: electorate.trim() === '' ? null : Number(electorate),
          revote,
        },
        nowMs,
      )
      const input = isLength
        ? checked
        : `Open for how many hours must be a number from 1 to ${openHoursMax}, got ${JSON.stringify(hours)}.`
      if (typeof input === 'string')
        return show(reply, 400, 'Your polls', organiserPage(await polls.all(), form, formToken, input))
      try {
        const { id } = await desk.createPoll(input)
        return await reply.redirect(`/organiser/polls/${id}`, 303)
      } catch (error) {
        if (!(error instanceof ControlNotRecordedError)) throw error
        const text = 'The poll is kept, and opens as soon as the log answers again.'
        return show(reply, 503, 'Your polls', organiserPage(await polls.all(), emptyPollForm, formToken, text))
      }
    }),
  )

  type IdRequest = FastifyRequest<{ Params: { id: string } }>
  const pollPage = async (
    reply: FastifyReply,
    poll: Poll,
    token: string,
    status: number,
    codes: readonly string[],
    problem: string | null,
  ) => {
    const codeCount = await polls.codeCount(poll.id)
    return show(reply, status, poll.title, organiserPollPage({ poll, codeCount, token, urls: urls(), codes, problem }))
  }
  const withPoll = (
    request: IdRequest,
    reply: FastifyReply,
    use: (poll: Poll, token: string) => Promise<FastifyReply>,
  ) =>
    signedIn(request, reply, async (token) => {
      const poll = await polls.find(request.params.id)
      return poll
        ? use(poll, token)
        : show(reply, 404, 'No such poll', messagePage('There is no such poll', 'It may have another address.'))
    })

  app.get('/organiser/polls/:id', (request: IdRequest, reply) =>
    withPoll(request, reply, (poll, token) => pollPage(reply, poll, token, 200, [], null)),
  )

  app.post('/organiser/polls/:id/codes', (request: IdRequest, reply) =>
    withPoll(request, reply, async (poll, token) => {
      const { count = '', region = '' } = fields(request)
      const wanted = Number(count)
      if (!Number.isInteger(wanted) || wanted < 1 || wanted > codesMax) {
        return pollPage(reply, poll, token, 400, [], `Ask for 1 to ${codesMax} codes.`)
      }
      if (region !== '' && !poll.regions.includes(region))
        return pollPage(reply, poll, token, 400, [], 'Choose one of the regions.')
      const codes = await desk.issueCodes(poll, wanted, region === '' ? null : region)
      return pollPage(reply, poll, token, 201, codes, null)
    }),
  )

  app.post('/organiser/polls/:id/close', (request: IdRequest, reply) =>
    withPoll(request, reply, async (poll, token) => {
      if (fields(request)['confirm']?.trim().toLowerCase() !== 'close') {
        return pollPage(reply, poll, token, 400, [], 'The poll is still open: type the word close to confirm.')
      }
      try {
        await desk.closePoll(poll)
        return await reply.redirect(`/organiser/polls/${poll.id}`, 303)
      } catch (error) {
        if (!(error instanceof ControlNotRecordedError)) throw error
        return pollPage(reply, poll, token, 503, [], 'The log did not confirm the close. Try again in a moment.')
      }
    }),
  )
}
