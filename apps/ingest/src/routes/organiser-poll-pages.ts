import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { IngestParts, Show } from '../app.ts'
import { formFields } from '../form-fields.ts'
import { codesMax, PollStateError } from '../organiser-desk.ts'
import { inNamedLanguage, wordsOf } from '../language.ts'
import { type Words, texts } from '../messages/index.ts'
import { codeListPage, codeSheetPage, sheetMax } from '../pages/code-sheet.ts'
import { organiserBar } from '../pages/organiser-bar.ts'
import { organiserPollPage } from '../pages/organiser-poll.ts'
import { posterPage } from '../pages/poster.ts'
import { ControlNotRecordedError } from '../poll-control.ts'
import { isLine } from '../poll-input.ts'
import type { Poll } from '../poll-repository.ts'
import { addressesMax, isAddress } from '../voter-roll.ts'
import { addressesBytesMax, reasonMax } from './organiser-api.ts'
import { showNoPoll } from './show-message.ts'
import { organiserGuard, type SignedIn } from './organiser-guard.ts'

type IdRequest = FastifyRequest<{ Params: { id: string } }>

interface Said {
  readonly status: number
  readonly problem?: string
  readonly done?: string
}

/** Whoever confirms a close types it in a language that there is: perhaps not the one of the page any more. */
const closeWords: ReadonlySet<string> = new Set(Object.values(texts).map(({ closeWord }) => closeWord))

/** A year: whoever wants more has mistyped. */
const extraHoursMax = 8760

/** One poll of an organiser's, and what can be done with it. */
export function organiserPollPages(app: FastifyInstance, parts: IngestParts, show: Show): void {
  const { polls, desk, urls } = parts
  const signedIn = organiserGuard(parts, show)

  const addressesOf = (request: FastifyRequest, { slug }: Poll) => ({
    ballotUrl: urls().ballot,
    resultsUrl: inNamedLanguage(request, `${urls().results}/p/${slug}`),
  })

  const pollPage = async (reply: FastifyReply, poll: Poll, { organiser, session }: SignedIn, said: Said) => {
    const { formToken: token } = session
    const words = wordsOf(reply.request)
    const body = organiserPollPage(words, {
      bar: organiserBar(words, organiser.name, token),
      poll,
      rollCount: await polls.codeCount(poll.id),
      token,
      ...addressesOf(reply.request, poll),
      count: await polls.count(poll),
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
      if (!poll) return showNoPoll(show, request, reply, 'pollElsewhere')
      const words = wordsOf(request)
      try {
        return await use(poll, by)
      } catch (error) {
        if (error instanceof PollStateError) {
          return pollPage(reply, poll, by, { status: 409, problem: words.say(`state-${error.code}`) })
        }
        if (!(error instanceof ControlNotRecordedError)) throw error
        return pollPage(reply, poll, by, { status: 503, problem: words.say('logUnconfirmed') })
      }
    })
  const back = (reply: FastifyReply, { id }: Poll): FastifyReply => reply.redirect(`/organiser/polls/${id}`, 303)

  app.get('/organiser/polls/:id', (request: IdRequest, reply) =>
    withPoll(request, reply, (poll, by) => pollPage(reply, poll, by, { status: 200 })),
  )

  app.get('/organiser/polls/:id/poster', (request: IdRequest, reply) =>
    withPoll(request, reply, async (poll) =>
      show(reply, 200, poll.title, posterPage(wordsOf(request), poll, urls().ballot)),
    ),
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
      const words = wordsOf(request)
      const wrong = !(hours > 0 && hours <= extraHoursMax)
        ? words.say('extendHours')
        : isLine(reason, reasonMax)
          ? null
          : words.say('extendReason')
      if (wrong !== null) return pollPage(reply, poll, by, { status: 400, problem: wrong })
      // A double click, or a form that is sent again, means the one extension.
      if (closes_at !== undefined && closes_at !== String(poll.closesAtMs)) {
        return pollPage(reply, poll, by, { status: 409, problem: words.say('extendMoved') })
      }
      const closesAtMs = Math.round(poll.closesAtMs + hours * 3_600_000)
      await desk.extendPoll(poll, closesAtMs, reason, by.organiser.id)
      return back(reply, poll)
    }),
  )

  app.post('/organiser/polls/:id/close', (request: IdRequest, reply) =>
    withPoll(request, reply, async (poll, by) => {
      if (!closeWords.has(formFields(request)['confirm']?.trim().toLowerCase() ?? '')) {
        const words = wordsOf(request)
        const problem = words.say('closeUnconfirmed', { word: words.say('closeWord') })
        return pollPage(reply, poll, by, { status: 400, problem })
      }
      await desk.closePoll(poll, by.organiser.id)
      return back(reply, poll)
    }),
  )

  app.post('/organiser/polls/:id/codes', (request: IdRequest, reply) =>
    withPoll(request, reply, async (poll, by) => {
      const { count = '', region = '', as = '' } = formFields(request)
      const words = wordsOf(request)
      const wanted = Number(count)
      const max = as === 'sheet' ? sheetMax : codesMax
      const isWhole = Number.isInteger(wanted) && wanted >= 1 && wanted <= max
      const problem =
        otherThan(words, poll, 'codes') ??
        (isWhole ? wrongRegion(words, poll, region) : words.say('askForCodes', { max }))
      if (problem !== null) return pollPage(reply, poll, by, { status: 400, problem })
      const codes = await desk.issueCodes(poll, wanted, region === '' ? null : region, by.organiser.id)
      const bar = organiserBar(words, by.organiser.name, by.session.formToken)
      const page = { bar, poll, codes, ...addressesOf(request, poll) }
      const body = as === 'sheet' ? await codeSheetPage(words, page) : codeListPage(words, page)
      return show(reply, 201, poll.title, body)
    }),
  )

  const listOptions = { bodyLimit: addressesBytesMax }
  app.post('/organiser/polls/:id/addresses', listOptions, (request: IdRequest, reply) =>
    withPoll(request, reply, async (poll, by) => {
      const { addresses = '', region = '' } = formFields(request)
      const words = wordsOf(request)
      const list = addresses.split(/[\s,;]+/).filter((address) => address !== '')
      const wrong = list.find((address) => !isAddress(address))
      const isCount = list.length >= 1 && list.length <= addressesMax
      const problem =
        otherThan(words, poll, 'addresses') ??
        (wrong === undefined ? null : words.say('badAddressInList', { address: wrong.slice(0, 300) })) ??
        (isCount ? wrongRegion(words, poll, region) : words.say('enterAddresses', { max: addressesMax }))
      if (problem !== null) return pollPage(reply, poll, by, { status: 400, problem })
      const listed = await desk.listAddresses(poll, list, region === '' ? null : region, by.organiser.id)
      const done = words.say('addressesAdded', { added: listed, before: list.length - listed })
      return pollPage(reply, poll, by, { status: 201, done })
    }),
  )
}

const otherThan = (words: Words, { eligibility }: Poll, kind: string): string | null =>
  eligibility.kind === kind ? null : words.say('otherVoters')

const wrongRegion = (words: Words, { regions }: Poll, region: string): string | null =>
  region === '' || regions.includes(region) ? null : words.say('chooseRegion')
