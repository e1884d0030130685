import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Show } from '../app.ts'
import { wordsOf } from '../language.ts'
import type { PlainKey } from '../messages/index.ts'
import { messagePage } from '../pages/message.ts'

/** Answers with a page that says one thing. */
export function showMessage(
  show: Show,
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  title: PlainKey,
  text: PlainKey,
): FastifyReply {
  const words = wordsOf(request)
  return show(reply, status, words.say(title), messagePage(words, words.say(title), words.say(text)))
}

/** There is no such poll, or none that whoever asks may see. */
export const showNoPoll = (
  show: Show,
  request: FastifyRequest,
  reply: FastifyReply,
  text: PlainKey = 'noPollText',
): FastifyReply => showMessage(show, request, reply, 404, 'noPollTitle', text)
