import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { IngestParts, Show } from '../app.ts'
import { formFields } from '../form-fields.ts'
import { codesMax, PollStateError } from '../organiser-desk.ts'
import { messagePage } from '../pages/ballot.ts'
import { codeListPage, codeSheetPage, sheetMax } from '../pages/code-sheet.ts'
import { organiserBar } from '../pages/organiser-bar.ts'
import { organiserPollPage } from '../pages/organiser-poll.ts'
import { posterPage } from '../pages/poster.ts'
import { ControlNotRecordedError } from '../poll-control.ts'
import { isLine } from '../poll-input.ts'
import type { Poll } from '../poll-repository.ts'
import { addressesMax, isAddress } from '../voter-roll.ts'
import { addressesBytesMax, reasonMax } from './organiser-api.ts'
import { organiserGuard, type SignedIn } from './organiser-guard.ts'

type IdRequest = FastifyRequest<{ Params: { id: string } }>

interface Said {
  readonly status: number
  readonly problem?: string
  readonly done?: string
}

/** A year: whoever wants more has mistyped. */
const extraHoursMax = 8760

/** One poll of an organiser's, and what can be done with it. */
export function organiserPollPages(app: FastifyInstance, parts: IngestParts, show: Show): void {
  const { polls, desk, urls } = parts
  const signedIn = organiserGuard(parts, show)

  const pollPage = async (reply: FastifyReply, poll: Poll, { organiser, session }: SignedIn, said: Said) => {
    const { formToken: token } = session
    const body = organiserPollPage({
      bar: organiserBar(organiser.name, token),
      poll,
      rollCount: await polls.codeCount(poll.id),
      token,
      urls: urls(),
      count: await polls.count(poll.id),
      events: await polls.events(poll.id),
      runs: await polls.runsOf(poll),
      problem: said.problem ?? null,
      done: said.done ?? null,
    })
    return show(reply, said.status, poll.title, body)
  }

  /** One of the organiser's own polls; what cannot be done is said on its page. */
  const withPoll = (
    request: IdRequest,
    reply: FastifyReply,
    use: (poll: Poll, by: SignedIn) => Promise<FastifyReply>,
  ) =>
    signedIn(request, reply, async (by) => {
      const poll = await polls.findOwned(request.params.id, by.organiser.id)
      if (!poll) {
        return show(reply, 404, 'No such poll', messagePage('There is no such poll', 'It may have another address.'))
      }
      try {
        return await use(poll, by)
      } catch (error) {
        if (error instanceof PollStateError) return pollPage(reply, poll, by, { status: 409, problem: error.message })
        if (!(error instanceof ControlNotRecordedError)) throw error
        const problem = 'The log did not confirm. It is written as soon as the log answers; look again in a moment.'
        return pollPage(reply, poll, by, { status: 503, problem })
      }
    })
  const back = (reply: FastifyReply, { id }: Poll): FastifyReply => reply.redirect(`/organiser/polls/${id}`, 303)

  app.get('/organiser/polls/:id', (request: IdRequest, reply) =>
    withPoll(request, reply, (poll, by) => pollPage(reply, poll, by, { status: 200 })),
  )

  app.get('/organiser/polls/:id/poster', (request: IdRequest, reply) =>
    withPoll(request, reply, async (poll) => show(reply, 200, poll.title, posterPage(poll, urls().ballot))),
  )

  app.post('/organiser/polls/:id/publish', (request: IdRequest, reply) =>
    withPoll(request, reply, async (poll, { organiser }) => {
      await desk.publishPoll(poll, organiser.id)
      return back(reply, poll)
    }),
  )

  app.post('/organiser/polls/:id/discard', (request: IdRequest, reply) =>
    withPoll(request, reply, async (poll) => {
      await desk.discardDraft(poll)
      return reply.redirect('/organiser', 303)
    }),
  )

  app.post('/organiser/polls/:id/clone', (request: IdRequest, reply) =>
    withPoll(request, reply, async (poll, { organiser }) => back(reply, await desk.clonePoll(poll, organiser.id))),
  )

  app.post('/organiser/polls/:id/extend', (request: IdRequest, reply) =>
    withPoll(request, reply, async (poll, by) => {
      const { extra_hours = '', reason = '', closes_at } = formFields(request)
      const hours = Number(extra_hours)
      const wrong = !(hours > 0 && hours <= extraHoursMax)
        ? `Extend by a number of hours from 0.01 to ${extraHoursMax}, got ${JSON.stringify(extra_hours)}.`
        : isLine(reason, reasonMax)
          ? null
          : 'Say why the poll is extended, in one line: everybody can see it.'
      if (wrong !== null) return pollPage(reply, poll, by, { status: 400, problem: wrong })
      // A double click, or a form that is sent again, means the one extension.
      if (closes_at !== undefined && closes_at !== String(poll.closesAtMs)) {
        const problem =
          'The close has been moved since this form was shown, perhaps by the form itself. Nothing was added.'
        return pollPage(reply, poll, by, { status: 409, problem })
      }
      const closesAtMs = Math.round(poll.closesAtMs + hours * 3_600_000)
      await desk.extendPoll(poll, closesAtMs, reason, by.organiser.id)
      return back(reply, poll)
    }),
  )

  app.post('/organiser/polls/:id/close', (request: IdRequest, reply) =>
    withPoll(request, reply, async (poll, by) => {
      if (formFields(request)['confirm']?.trim().toLowerCase() !== 'close') {
        const problem = 'The poll is still open: type the word close to confirm.'
        return pollPage(reply, poll, by, { status: 400, problem })
      }
      await desk.closePoll(poll, by.organiser.id)
      return back(reply, poll)
    }),
  )

  app.post('/organiser/polls/:id/codes', (request: IdRequest, reply) =>
    withPoll(request, reply, async (poll, by) => {
      const { count = '', region = '', as = '' } = formFields(request)
      const wanted = Number(count)
      const max = as === 'sheet' ? sheetMax : codesMax
      const isWhole = Number.isInteger(wanted) && wanted >= 1 && wanted <= max
      const problem = otherThan(poll, 'codes') ?? (isWhole ? wrongRegion(poll, region) : `Ask for 1 to ${max} codes.`)
      if (problem !== null) return pollPage(reply, poll, by, { status: 400, problem })
      const codes = await desk.issueCodes(poll, wanted, region === '' ? null : region, by.organiser.id)
      const page = { bar: organiserBar(by.organiser.name, by.session.formToken), poll, codes, urls: urls() }
      const body = as === 'sheet' ? await codeSheetPage(page) : codeListPage(page)
      return show(reply, 201, poll.title, body)
    }),
  )

  const listOptions = { bodyLimit: addressesBytesMax }
  app.post('/organiser/polls/:id/addresses', listOptions, (request: IdRequest, reply) =>
    withPoll(request, reply, async (poll, by) => {
      const { addresses = '', region = '' } = formFields(request)
      const list = addresses.split(/[\s,;]+/).filter((address) => address !== '')
      const wrong = list.find((address) => !isAddress(address))
      const isCount = list.length >= 1 && list.length <= addressesMax
      const problem =
        otherThan(poll, 'addresses') ??
        (wrong === undefined ? null : `${JSON.stringify(wrong)} is no e-mail address. Nothing was added.`) ??
        (isCount ? wrongRegion(poll, region) : `Enter 1 to ${addressesMax} addresses.`)
      if (problem !== null) return pollPage(reply, poll, by, { status: 400, problem })
      const listed = await desk.listAddresses(poll, list, region === '' ? null : region, by.organiser.id)
      const done = `${listed} added; ${list.length - listed} were listed before.`
      return pollPage(reply, poll, by, { status: 201, done })
    }),
  )
}

const otherThan = ({ eligibility }: Poll, kind: string): string | null =>
  eligibility.kind === kind ? null : 'This poll is for other voters.'

const wrongRegion = ({ regions }: Poll, region: string): string | null =>
  region === '' || regions.includes(region) ? null : 'Choose one of the regions.'
