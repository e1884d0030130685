import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { IngestParts, Show } from '../app.ts'
import { formFields } from '../form-fields.ts'
import { wordsOf } from '../language.ts'
import { problemBox } from '../pages/message.ts'
import { html } from '../pages/html.ts'
import { organiserBar } from '../pages/organiser-bar.ts'
import { organiserPage } from '../pages/organiser.ts'
import { pollForm, type PollFormOptions } from '../pages/poll-form.ts'
import { PollStateError } from '../organiser-desk.ts'
import { ControlNotRecordedError } from '../poll-control.ts'
import { InputProblem } from '../poll-input.ts'
import { emptyPollForm, formOfPoll, inputOfForm, type PollForm, pollFormOf } from '../poll-form.ts'
import type { Poll } from '../poll-repository.ts'
import { missingFor } from './organiser-api.ts'
import { showNoPoll } from './show-message.ts'
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

  /** What the form says, if this installation can do it. */
  const checked = (form: PollForm, of: { readonly isDraft: boolean; readonly before: Poll | null }) => {
    const input = inputOfForm(form, { ...of, nowMs: Date.now() })
    return input instanceof InputProblem ? input : (missingFor(input.eligibility, parts) ?? input)
  }
  const problemOf = (request: FastifyRequest, { part }: InputProblem): PageProblem => ({
    status: 400,
    text: wordsOf(request).say(`wrong-${part}`),
  })

  const listPage = async (
    reply: FastifyReply,
    { organiser, session }: SignedIn,
    form: PollForm,
    problem: PageProblem | null,
  ): Promise<FastifyReply> => {
    const { formToken } = session
    const words = wordsOf(reply.request)
    const body = organiserPage(words, {
      bar: organiserBar(words, organiser.name, formToken),
      polls: await polls.ownedBy(organiser.id),
      form: pollForm(words, {
        ...abilities,
        action: '/organiser/polls',
        form,
        formToken,
        submit: words.say('createAndOpen'),
        submitDraft: words.say('saveDraft'),
      }),
      problem: problem?.text ?? null,
    })
    return show(reply, problem?.status ?? 200, words.say('yourPolls'), body, { isWide: true })
  }

  const editPage = (
    reply: FastifyReply,
    { organiser, session }: SignedIn,
    poll: Poll,
    form: PollForm,
    problem: PageProblem | null,
  ): FastifyReply => {
    const words = wordsOf(reply.request)
    const options: PollFormOptions = {
      ...abilities,
      action: `/organiser/polls/${poll.id}/edit`,
      form,
      formToken: session.formToken,
      submit: words.say('save'),
      submitDraft: null,
    }
    const body = html`${organiserBar(words, organiser.name, session.formToken)}${problemBox(words, problem?.text ?? null)}
      <h1>${words.say('changePoll')}</h1>
      ${pollForm(words, options)}
      <p><a href="/organiser/polls/${poll.id}">${words.say('leaveAsIs')}</a></p>`
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
      const input = checked(form, { isDraft: fields['save_as'] === 'draft', before: null })
      if (input instanceof InputProblem) return listPage(reply, by, form, problemOf(request, input))
      try {
        const { id } = await desk.createPoll(input, by.organiser.id)
        return await reply.redirect(`/organiser/polls/${id}`, 303)
      } catch (error) {
        if (!(error instanceof ControlNotRecordedError)) throw error
        return listPage(reply, by, emptyPollForm, { status: 503, text: wordsOf(request).say('keptForLog') })
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
      return poll ? use(poll, by) : showNoPoll(show, request, reply, 'pollElsewhere')
    })

  app.get('/organiser/polls/:id/edit', (request: IdRequest, reply) =>
    withPoll(request, reply, async (poll, by) => editPage(reply, by, poll, formOfPoll(poll), null)),
  )

  app.post('/organiser/polls/:id/edit', (request: IdRequest, reply) =>
    withPoll(request, reply, async (poll, by) => {
      const form = pollFormOf(formFields(request))
      const input = checked(form, { isDraft: poll.isDraft, before: poll })
      if (input instanceof InputProblem) return editPage(reply, by, poll, form, problemOf(request, input))
      try {
        await desk.changePoll(poll, input, by.organiser.id)
        return await reply.redirect(`/organiser/polls/${poll.id}`, 303)
      } catch (error) {
        if (!(error instanceof PollStateError)) throw error
        return editPage(reply, by, poll, form, { status: 409, text: wordsOf(request).say(`state-${error.code}`) })
      }
    }),
  )
}
