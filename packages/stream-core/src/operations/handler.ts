import type { IncomingMessage, ServerResponse } from 'node:http'
import { monotonicMs } from '../common/clock.ts'
import { toJson } from '../query-router/json-form.ts'
import { forwardedHeader } from '../query-router/ask-peer.ts'
import { badRequest, notFound, Problem } from '../query-router/problem.ts'
import type { Streams } from '../runtime/streams.ts'
import { mermaid } from '../topology/mermaid.ts'
import { told } from './explain-key.ts'
import { contentSecurityPolicy, htmlPage } from './html-page.ts'
import { Operations } from './operations.ts'
import { checkedOptions, type OperationsOptions } from './options.ts'
import { pageContent } from './page-content.ts'
import { textPage } from './text-page.ts'

export type OperationsHandler = (request: IncomingMessage, response: ServerResponse, next?: () => void) => void

interface Answer {
  readonly type: string
  readonly body: string
}

interface Question {
  /** Behind the path of the page: ``, `.txt`, `.json`, `/instance.json` and so on. */
  readonly rest: string
  readonly params: URLSearchParams
  readonly isForwarded: boolean
}

/** Who comes while so many are answered is told to come again. */
const atOnceMax = 16
const keptMax = 20

/**
 * Serves the operations page of an application: the whole group, as any of its instances sees it. A request listener for `createServer`,
 * to be put at the `endpoint` of each instance, and where the public does not reach it. It only reads, and never the whole of a store.
 *
 *     createServer(operationsHandler(streams)).listen(9100)
 *
 *     GET /operations                  the page; ?store=&key= explains a key
 *     GET /operations.txt              the same as text, for curl and screen readers
 *     GET /operations.json             the same as data: a GroupDescription
 *     GET /operations/topology.txt     describe(), as Kafka Streams prints it; topology.mmd for Mermaid
 *     GET /operations/instance.json    what this instance says of itself, which is what the others ask for
 *
 * What is asked for within a second is answered once. Instances that do not answer are shown as such, with what they said last.
 */
export function operationsHandler(streams: Streams, options: OperationsOptions = {}): OperationsHandler {
  const checked = checkedOptions(options)
  const { path, freshMs } = checked
  const { config } = streams.metricsSource
  const operations = new Operations(streams, options)
  const kept = new Map<string, { readonly atMs: number; readonly answer: Promise<Answer> }>()
  let atOnce = 0

  /** What somebody was just told is told to the next, too. */
  const once = (name: string, make: () => Promise<Answer>): Promise<Answer> => {
    const nowMs = monotonicMs(config.clock)
    const found = kept.get(name)
    if (found !== undefined && nowMs - found.atMs < freshMs && nowMs >= found.atMs) return found.answer
    const answer = make()
    if (kept.size > keptMax) kept.clear()
    kept.set(name, { atMs: nowMs, answer })
    answer.catch(() => kept.delete(name))
    return answer
  }

  const page = async (rest: string, params: URLSearchParams, key?: AskedKey): Promise<Answer> => {
    const group = await operations.describe(key)
    if (rest === '.json') return { type: json, body: `${toJson(group)}\n` }
    const content = pageContent(group)
    if (rest === '.txt') return { type: 'text/plain; charset=utf-8', body: textPage(content) }
    const query = key === undefined ? '' : `?${new URLSearchParams({ ...key }).toString()}`
    return {
      type: 'text/html; charset=utf-8',
      body: htmlPage(content, { path, refreshSeconds: refreshOf(params), query }),
    }
  }

  const answer = async ({ rest, params, isForwarded }: Question): Promise<Answer> => {
    const { topology } = streams.metricsSource
    switch (rest) {
      case '':
      case '.txt':
      case '.json': {
        const key = askedKey(params)
        const name = `${rest} ${rest === '' ? (refreshOf(params) ?? '') : ''}`
        return key === undefined ? once(name, () => page(rest, params)) : page(rest, params, key)
      }
      case '/instance.json':
        return once(rest, async () => ({ type: json, body: `${JSON.stringify(operations.own())}\n` }))
      case '/key.json':
        if (!isForwarded) throw notFound(`keys are explained at ${path}?store=<store>&key=<key>`)
        return { type: json, body: `${toJson(keyHere(params))}\n` }
      case '/topology.txt':
        return { type: 'text/plain; charset=utf-8', body: topology.describe() }
      case '/topology.mmd':
        return { type: 'text/plain; charset=utf-8', body: `${mermaid(topology)}\n` }
      default:
        throw notFound(`the operations page is at ${path}`)
    }
  }

  const keyHere = (params: URLSearchParams): object => {
    const own = streams.metricsSource.thread?.processId
    if (params.get('of') !== own) throw new Problem(421, 'misdirected', 'Another instance', `this is instance ${own}`)
    try {
      return operations.explainHere(params.get('store') ?? '', params.get('key') ?? '')
    } catch (error) {
      throw new Problem(503, 'not-explained', 'The key cannot be explained here', told(error))
    }
  }

  const checkedAnswer = async (request: IncomingMessage, question: Question): Promise<Answer> => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      throw new Problem(405, 'method-not-allowed', 'This page only reads', 'use GET')
    }
    if (!(await checked.authorize(request))) {
      throw new Problem(403, 'forbidden', 'Not for you', 'this request was refused')
    }
    if (atOnce >= atOnceMax) throw new Problem(503, 'busy', 'Too many ask at a time', 'ask again in a second')
    atOnce++
    try {
      return await answer(question)
    } finally {
      atOnce--
    }
  }

  const problemOf = (error: unknown): Problem => {
    if (error instanceof Problem) return error
    config.logger.error({ event: 'operations.failed', error: String(error) }, 'the operations page could not be made')
    return new Problem(500, 'failed', 'The page cannot be made', 'the log of the application says why')
  }

  return (request, response, next) => {
    const [asked = '', search = ''] = (request.url ?? '').split('?', 2)
    const rest = asked.slice(path.length)
    if (!asked.startsWith(path) || (rest !== '' && rest[0] !== '.' && rest[0] !== '/')) {
      if (next !== undefined) return next()
      return reply(response, notFound(`the operations page is at ${path}`))
    }
    const isForwarded = request.headers[forwardedHeader] !== undefined
    checkedAnswer(request, { rest, params: new URLSearchParams(search), isForwarded })
      .then((made) => reply(response, made))
      .catch((error: unknown) => reply(response, problemOf(error)))
  }
}

const json = 'application/json; charset=utf-8'

interface AskedKey {
  readonly store: string
  readonly key: string
}

function askedKey(params: URLSearchParams): AskedKey | undefined {
  const [store, key] = [params.get('store'), params.get('key')]
  if (store === null && key === null) return undefined
  if (store === null || key === null) throw badRequest('a key is asked for as ?store=<store>&key=<key>')
  return { store, key }
}

/** Only as often as does no harm. */
function refreshOf(params: URLSearchParams): number | null {
  const text = params.get('refresh')
  if (text === null) return null
  if (!/^\d{1,4}$/.test(text) || Number(text) < 5) throw badRequest('refresh is a number of seconds, 5 or more')
  return Number(text)
}

function reply(response: ServerResponse, answer: Answer | Problem): void {
  if (response.headersSent || response.destroyed) return
  const isProblem = answer instanceof Problem
  const status = isProblem ? answer.status : 200
  const body = isProblem ? `${JSON.stringify(answer.body)}\n` : answer.body
  response.writeHead(status, {
    'content-type': isProblem ? 'application/problem+json' : answer.type,
    'content-length': Buffer.byteLength(body),
    'content-security-policy': contentSecurityPolicy,
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    ...(status === 503 ? { 'retry-after': '1' } : {}),
    ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
  })
  response.end(body)
}
