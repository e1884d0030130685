import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { IngestParts, Show } from '../app.ts'
import { codesMax } from '../organiser-desk.ts'
import { formFields } from '../form-fields.ts'
import { messagePage } from '../pages/ballot.ts'
import { emptyPollForm, type NewPollForm, organiserPage, organiserPollPage } from '../pages/organiser.ts'
import { organiserBar } from '../pages/organiser-bar.ts'
import { ControlNotRecordedError } from '../poll-control.ts'
import { checkPollInput } from '../poll-input.ts'
import type { Poll } from '../poll-repository.ts'
import { organiserGuard, type SignedIn, signedInOrganiser } from './organiser-guard.ts'
import { showSignIn } from './sign-in-pages.ts'

/** A year: whoever wants more has mistyped. */
const openHoursMax = 8760

const lines = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')

/** Pages for organisers: each sees and touches their own polls, and another's are as if they were not there. */
export function organiserPages(app: FastifyInstance, parts: IngestParts, show: Show): void {
  const { polls, desk, urls } = parts

  const signedIn = organiserGuard(parts, show)
  const listPage = async (
    reply: FastifyReply,
    { organiser, session }: SignedIn,
    form: NewPollForm,
    problem: { readonly status: number; readonly text: string } | null,
  ): Promise<FastifyReply> => {
    const bar = organiserBar(organiser.name, session.formToken)
    const owned = await polls.ownedBy(organiser.id)
    const body = organiserPage(bar, owned, form, session.formToken, problem?.text ?? null)
    return show(reply, problem?.status ?? 200, 'Your polls', body)
  }

  app.get('/organiser', async (request, reply) => {
    const by = await signedInOrganiser(parts, request)
    return by ? listPage(reply, by, emptyPollForm, null) : showSignIn(parts, show, request, reply, null)
  })

  app.post('/organiser/polls', (request, reply) =>
    signedIn(request, reply, async (by) => {
      const {
        title = '',
        options = '',
        regions = '',
        opens = '',
        hours = '',
        electorate = '',
        revote = '',
      } = formFields(request)
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
      if (typeof input === 'string') return listPage(reply, by, form, { status: 400, text: input })
      try {
        const { id } = await desk.createPoll(input, by.organiser.id)
        return await reply.redirect(`/organiser/polls/${id}`, 303)
      } catch (error) {
        if (!(error instanceof ControlNotRecordedError)) throw error
        const text = 'The poll is kept, and opens as soon as the log answers again.'
        return listPage(reply, by, emptyPollForm, { status: 503, text })
      }
    }),
  )

  type IdRequest = FastifyRequest<{ Params: { id: string } }>
  const pollPage = async (
    reply: FastifyReply,
    poll: Poll,
    { organiser, session }: SignedIn,
    status: number,
    codes: readonly string[],
    problem: string | null,
  ) => {
    const codeCount = await polls.codeCount(poll.id)
    const { formToken: token } = session
    const bar = organiserBar(organiser.name, token)
    const body = organiserPollPage({ bar, poll, codeCount, token, urls: urls(), codes, problem })
    return show(reply, status, poll.title, body)
  }
  const withPoll = (
    request: IdRequest,
    reply: FastifyReply,
    use: (poll: Poll, by: SignedIn) => Promise<FastifyReply>,
  ) =>
    signedIn(request, reply, async (by) => {
      const poll = await polls.findOwned(request.params.id, by.organiser.id)
      return poll
        ? use(poll, by)
        : show(reply, 404, 'No such poll', messagePage('There is no such poll', 'It may have another address.'))
    })

  app.get('/organiser/polls/:id', (request: IdRequest, reply) =>
    withPoll(request, reply, (poll, by) => pollPage(reply, poll, by, 200, [], null)),
  )

  app.post('/organiser/polls/:id/codes', (request: IdRequest, reply) =>
    withPoll(request, reply, async (poll, by) => {
      const { count = '', region = '' } = formFields(request)
      const wanted = Number(count)
      if (!Number.isInteger(wanted) || wanted < 1 || wanted > codesMax) {
        return pollPage(reply, poll, by, 400, [], `Ask for 1 to ${codesMax} codes.`)
      }
      if (region !== '' && !poll.regions.includes(region))
        return pollPage(reply, poll, by, 400, [], 'Choose one of the regions.')
      const codes = await desk.issueCodes(poll, wanted, region === '' ? null : region)
      return pollPage(reply, poll, by, 201, codes, null)
    }),
  )

  app.post('/organiser/polls/:id/close', (request: IdRequest, reply) =>
    withPoll(request, reply, async (poll, by) => {
      if (formFields(request)['confirm']?.trim().toLowerCase() !== 'close') {
        return pollPage(reply, poll, by, 400, [], 'The poll is still open: type the word close to confirm.')
      }
      try {
        await desk.closePoll(poll)
        return await reply.redirect(`/organiser/polls/${poll.id}`, 303)
      } catch (error) {
        if (!(error instanceof ControlNotRecordedError)) throw error
        return pollPage(reply, poll, by, 503, [], 'The log did not confirm the close. Try again in a moment.')
      }
    }),
  )
}
