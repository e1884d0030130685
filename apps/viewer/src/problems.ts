import { problemBody, problemType } from '@voting/election/problem'
import type { FastifyReply } from 'fastify'
import type { Hiding } from './sealing.ts'

/** Errors as RFC 9457 problem documents with a stable `code`. */
export interface Problems {
  notFound(reply: FastifyReply, what: string): FastifyReply
  malformed(reply: FastifyReply, detail: string): FastifyReply
  stillOpen(reply: FastifyReply): FastifyReply
  hidden(reply: FastifyReply, hiding: Hiding): FastifyReply
  noSuchAddress(reply: FastifyReply): FastifyReply
  unavailable(reply: FastifyReply): FastifyReply
}

function whenShown(hiding: Hiding): string {
  if (hiding === 'after-close') return 'after the close'
  if (hiding === 'after-voting')
    return 'to who gives the receipt of a ballot (?receipt=…), and to everybody after the close'
  return `when ${hiding.from} voters have voted, or after the close`
}

const send = (reply: FastifyReply, status: number, code: string, title: string, detail: string): FastifyReply =>
  reply.code(status).type(problemType).send(problemBody({ title, status, code, detail }))

export const problems: Problems = {
  notFound: (reply, what) =>
    send(
      reply,
      404,
      'unknown-poll',
      'No such poll',
      `There is no poll with the id or short name ${JSON.stringify(what)}.`,
    ),
  malformed: (reply, detail) => send(reply, 400, 'malformed', 'The request is malformed', detail),
  stillOpen: (reply) =>
    send(
      reply,
      409,
      'still-open',
      'The poll is not over',
      'How a poll stood at a time can be asked once it is closed: until then late ballots may change the past.',
    ),
  hidden: (reply, hiding) =>
    send(reply, 403, 'results-hidden', 'The results are not to be seen yet', `They are shown ${whenShown(hiding)}.`),
  noSuchAddress: (reply) =>
    send(reply, 404, 'not-found', 'There is no such address', 'See /openapi.json for what there is.'),
  unavailable: (reply) =>
    send(
      reply.header('retry-after', '2'),
      503,
      'unavailable',
      'Results cannot be read now',
      'The database does not answer. Try again.',
    ),
}
