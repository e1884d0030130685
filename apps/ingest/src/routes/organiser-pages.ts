import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { IngestParts, Show } from '../app.ts'
import { formFields } from '../form-fields.ts'
import { messagePage, problemBox } from '../pages/ballot.ts'
import { html } from '../pages/html.ts'
import { organiserBar } from '../pages/organiser-bar.ts'
import { organiserPage } from '../pages/organiser.ts'
import { pollForm, type PollFormOptions } from '../pages/poll-form.ts'
import { PollStateError } from '../organiser-desk.ts'
import { ControlNotRecordedError } from '../poll-control.ts'
import { emptyPollForm, formOfPoll, inputOfForm, type PollForm, pollFormOf } from '../poll-form.ts'
import type { Poll } from '../poll-repository.ts'
import { missingFor } from './organiser-api.ts'
import { organiserGuard, type SignedIn, signedInOrganiser } from './organiser-guard.ts'
import { showSignIn } from './sign-in-pages.ts'

interface PageProblem {
  readonly status: number
  readonly text: string
}

type IdRequest = FastifyRequest<{ Params: { id: string } }>

/** The list of an organiser's polls, and the forms that make and change one. */
export function organiserPages(app: FastifyInstance, parts: IngestParts, show: Show): void {
  const { polls, desk } = parts
  const signedIn = organiserGuard(parts, show)
  const abilities = { hasMail: parts.mailSignIn !== null, provider: parts.oidc?.name ?? null }

  const listPage = async (
    reply: FastifyReply,
    { organiser, session }: SignedIn,
    form: PollForm,
    problem: PageProblem | null,
  ): Promise<FastifyReply> => {
    const { formToken } = session
    const body = organiserPage({
      bar: organiserBar(organiser.name, formToken),
      polls: await polls.ownedBy(organiser.id),
      form: pollForm({
        ...abilities,
        action: '/organiser/polls',
        form,
        formToken,
        submit: 'Create and open',
        submitDraft: 'Save as a draft',
      }),
      problem: problem?.text ?? null,
    })
    return show(reply, problem?.status ?? 200, 'Your polls', body, { isWide: true })
  }

  const editPage = (
    reply: FastifyReply,
    { organiser, session }: SignedIn,
    poll: Poll,
    form: PollForm,
    problem: PageProblem | null,
  ): FastifyReply => {
    const options: PollFormOptions = {
      ...abilities,
      action: `/organiser/polls/${poll.id}/edit`,
      form,
      formToken: session.formToken,
      submit: 'Save',
      submitDraft: null,
    }
    const body = html`${organiserBar(organiser.name, session.formToken)}${problemBox(problem?.text ?? null)}
      <h1>Change the poll</h1>
      ${pollForm(options)}
      <p><a href="/organiser/polls/${poll.id}">Leave it as it is</a></p>`
    return show(reply, problem?.status ?? 200, poll.title, body)
  }

  app.get('/organiser', async (request, reply) => {
    const by = await signedInOrganiser(parts, request)
    return by ? listPage(reply, by, emptyPollForm, null) : showSignIn(parts, show, request, reply, null)
  })

  app.post('/organiser/polls', (request, reply) =>
    signedIn(request, reply, async (by) => {
      const fields = formFields(request)
      const form = pollFormOf(fields)
      const input = inputOfForm(form, { isDraft: fields['save_as'] === 'draft', before: null, nowMs: Date.now() })
      const problem = typeof input === 'string' ? input : missingFor(input.eligibility, parts)
      if (typeof input === 'string' || problem !== null) {
        return listPage(reply, by, form, { status: 400, text: problem ?? '' })
      }
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

  app.get('/organiser/polls/:id/edit', (request: IdRequest, reply) =>
    withPoll(request, reply, async (poll, by) => editPage(reply, by, poll, formOfPoll(poll), null)),
  )

  app.post('/organiser/polls/:id/edit', (request: IdRequest, reply) =>
    withPoll(request, reply, async (poll, by) => {
      const form = pollFormOf(formFields(request))
      const input = inputOfForm(form, { isDraft: poll.isDraft, before: poll, nowMs: Date.now() })
      const problem = typeof input === 'string' ? input : missingFor(input.eligibility, parts)
      if (typeof input === 'string' || problem !== null) {
        return editPage(reply, by, poll, form, { status: 400, text: problem ?? '' })
      }
      try {
        await desk.changePoll(poll, input, by.organiser.id)
        return await reply.redirect(`/organiser/polls/${poll.id}`, 303)
      } catch (error) {
        if (!(error instanceof PollStateError)) throw error
        return editPage(reply, by, poll, form, { status: 409, text: error.message })
      }
    }),
  )
}
