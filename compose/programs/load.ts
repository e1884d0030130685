/**
 * Voters and readers for the composed system, the profile `load`. They use what everybody uses, over the network:
 *
 *   1. Take the example poll that is open, or make one.
 *   2. Simulated voters cast ballots, about BALLOTS_PER_SECOND; READERS keep a WebSocket open, and open it again.
 *   3. The operations port says how that goes. The load is ready while readers hear from the viewer.
 */
import { createServer } from 'node:http'
import { exampleOptions, leanings, OrganiserClient } from '../../apps/demo/src/example-election.ts'
import { SimulatedVoters } from '../../apps/demo/src/simulated-voters.ts'
import { environmentHelp, logLevel, readEnvironment } from '../../packages/election/src/environment.ts'
import { openLogger } from '../../packages/election/src/logger.ts'
import { Readers } from './readers.ts'

const variables = {
  INGEST_URL: { kind: 'httpUrl', description: 'Where ballots are cast' },
  VIEWER_URL: { kind: 'httpUrl', description: 'Where results are shown' },
  ORGANISER_TOKEN: { kind: 'text', secret: true, description: 'What makes polls and codes' },
  BALLOTS_PER_SECOND: { kind: 'number', fallback: '20', max: 2000, description: 'Ballots cast, on average' },
  READERS: { kind: 'number', fallback: '50', max: 20_000, description: 'WebSockets kept open' },
  OPS_PORT: { kind: 'number', fallback: '9100', max: 65_535, description: 'Port of /readyz and /metrics' },
  OPS_HOST: { kind: 'text', fallback: '127.0.0.1', description: 'Address of the operations port' },
  LOG_LEVEL: logLevel,
} as const

const title = 'What should the old harbour become?'
const openHours = 24
const silentMsMax = 30_000

interface ListedPoll {
  readonly id: string
  readonly slug: string
  readonly title: string
  readonly status: string
}

if (process.argv.includes('--help')) process.stdout.write(`${environmentHelp(variables)}\n`)
else await run()

async function run(): Promise<void> {
  const environment = readEnvironment(variables)
  const logger = openLogger('load', environment.LOG_LEVEL)
  const organiser = new OrganiserClient(environment.INGEST_URL, environment.ORGANISER_TOKEN)
  const { id, slug } = (await openPoll(environment.VIEWER_URL)) ?? (await newPoll(organiser))
  const urls = {
    ballotUrl: `${environment.INGEST_URL}/p/${slug}`,
    resultsUrl: `${environment.VIEWER_URL}/p/${slug}`,
  }
  const rate = environment.BALLOTS_PER_SECOND
  const voters = new SimulatedVoters({ id, slug, ...urls }, organiser, environment.INGEST_URL, rate, logger)
  const readers = new Readers(environment.VIEWER_URL, slug, environment.READERS)
  if (rate > 0) await voters.start()
  readers.start()

  const server = createServer((request, response) => {
    if (request.url === '/metrics') {
      response.end(readers.metrics())
      return
    }
    const isSilent = environment.READERS > 0 && Date.now() - readers.lastFrameMs > silentMsMax
    response.writeHead(isSilent && request.url === '/readyz' ? 503 : 200)
    response.end(isSilent ? 'readers have heard nothing for half a minute\n' : 'ready\n')
  })
  server.listen(environment.OPS_PORT, environment.OPS_HOST)
  logger.info(
    { event: 'load.started', poll: slug, rate, readers: environment.READERS },
    'voters and readers are at work',
  )

  const stop = async (): Promise<void> => {
    server.close()
    readers.stop()
    await voters.stop()
    logger.info({ event: 'load.stopped', frames: readers.frames, reconnects: readers.reconnects }, 'load has stopped')
    process.exit(0)
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop())
}

/** 1. A restart goes on with the poll it had. */
async function openPoll(viewerUrl: string): Promise<ListedPoll | undefined> {
  const answer = await fetch(`${viewerUrl}/api/polls`)
  const { polls } = (await answer.json()) as { polls: readonly ListedPoll[] }
  return polls.find((poll) => poll.title === title && poll.status === 'open')
}

function newPoll(organiser: OrganiserClient): Promise<ListedPoll> {
  const nowMs = Date.now()
  return organiser.post<ListedPoll>('/api/polls', {
    title,
    options: exampleOptions,
    regions: Object.keys(leanings),
    opensAt: new Date(nowMs).toISOString(),
    closesAt: new Date(nowMs + openHours * 3_600_000).toISOString(),
    revote: 'last',
  })
}
