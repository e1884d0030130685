import type { FastifyInstance } from 'fastify'
import { type Analytics, analyticsOf } from '../analytics.ts'
import { csv } from '../csv.ts'
import { type PollView, statusOf } from '../poll-view.ts'
import type { Problems } from '../problems.ts'
import type { ResultStore } from '../result-store.ts'
import { viewFor, type ViewQuery } from '../view-for.ts'
import { analyticsBody, iso, resultBody } from '../bodies.ts'

const tables = ['results', 'regions', 'minutes'] as const
type Table = (typeof tables)[number]
const isTable = (name: string): name is Table => tables.some((table) => table === name)

type Cell = string | number | null

/** What every file says first: of what it is, and how far it may be trusted. */
const heading = (view: PollView, nowMs: number): Cell[][] => [
  ['title', view.poll.title],
  ['poll', view.poll.id],
  ['status', statusOf(view, nowMs)],
  ['as of', iso(view.asOfMs)],
  ['version', `${view.epoch}.${view.version}`],
  ['definition', view.poll.definitionHash],
  ['voters', view.voters],
  [],
]

const labels = ({ poll }: PollView): string[] => poll.options.map(({ label }) => label)

function resultRows(view: PollView): Cell[][] {
  const share = (votes: number): number => (view.voters === 0 ? 0 : Number((votes / view.voters).toFixed(6)))
  const rows: Cell[][] = view.poll.options.map(({ id, label }) => {
    const votes = view.totals[id] ?? 0
    return [id, label, votes, share(votes)]
  })
  if (view.blank !== null) rows.push([null, 'blank', view.blank, share(view.blank)])
  return [['option', 'label', 'votes', 'share'], ...rows]
}

const regionRows = (view: PollView): Cell[][] => [
  ['region', ...labels(view)],
  ...view.poll.regions.map((region) => [region, ...view.poll.options.map(({ id }) => view.regions[region]?.[id] ?? 0)]),
]

function minuteRows(view: PollView, { minutes }: Analytics): Cell[][] {
  const { startMs, votes, changed, rejected, voters, turnout, margin, totals } = minutes
  return [
    ['minute', 'votes', 'changed', 'rejected', 'voters', 'turnout', 'margin', ...labels(view)],
    ...startMs.map((start, i) => [
      iso(start),
      votes[i]!,
      changed[i]!,
      rejected[i]!,
      voters[i]!,
      turnout?.[i] ?? null,
      margin[i]!,
      ...view.poll.options.map(({ id }) => totals[id]![i]!),
    ]),
  ]
}

/** Results to take away: for spreadsheets a table each, for programs all in one. */
export function exportRoutes(app: FastifyInstance, store: ResultStore, problems: Problems): void {
  const analytics = async (view: PollView): Promise<Analytics> =>
    analyticsOf(
      await store.analytics(view),
      view.poll.options.map(({ id }) => id),
    )

  app.get<{ Params: { id: string }; Querystring: ViewQuery & { table?: string } }>(
    '/api/polls/:id/export.csv',
    async (request, reply) => {
      const { table = 'results' } = request.query
      if (!isTable(table)) {
        return problems.malformed(reply, `table is one of ${tables.join(', ')}; got ${JSON.stringify(table)}`)
      }
      const view = await viewFor(store, request.params.id, request.query)
      if (!view) return problems.notFound(reply, request.params.id)
      if (view.hiding !== null) return problems.hidden(reply, view.hiding)
      const rows =
        table === 'results'
          ? resultRows(view)
          : table === 'regions'
            ? regionRows(view)
            : minuteRows(view, await analytics(view))
      return reply
        .type('text/csv; charset=utf-8')
        .header('cache-control', 'no-cache')
        .header('content-disposition', `attachment; filename="${view.poll.slug}-${table}.csv"`)
        .send(csv([...heading(view, Date.now()), ...rows]))
    },
  )

  app.get<{ Params: { id: string }; Querystring: ViewQuery }>('/api/polls/:id/export.json', async (request, reply) => {
    const view = await viewFor(store, request.params.id, request.query)
    if (!view) return problems.notFound(reply, request.params.id)
    if (view.hiding !== null) return problems.hidden(reply, view.hiding)
    const { poll } = view
    return reply
      .header('cache-control', 'no-cache')
      .header('content-disposition', `attachment; filename="${poll.slug}.json"`)
      .send({
        definition: {
          title: poll.title,
          options: poll.options,
          regions: poll.regions,
          revote: poll.revote,
          maxChoices: poll.maxChoices,
          allowBlank: poll.allowBlank,
          electorate: poll.electorate,
          opensAt: iso(poll.opensAtMs),
          closesAt: iso(poll.closesAtMs),
        },
        result: resultBody(view, Date.now()),
        analytics: analyticsBody(view, await analytics(view)),
      })
  })
}
