import { createServer } from 'node:http'
import { listen, urlOf } from '../../src/ops-server.ts'
import { startServer, type TestServer } from './database.ts'

/**
 * For a whole run of tests: a PostgreSQL for each of vitest's workers, started when a test file there first asks for it, in which
 * each file has a database of its own. A server for each file cost more than a second a file; one for all would have its
 * connections used up by files that run at the same time.
 */
export default async function sharePostgres(): Promise<(() => Promise<void>) | undefined> {
  if (process.env['DATABASE_URL']) return undefined
  const started = new Map<string, Promise<TestServer>>()
  const door = createServer((request, response) => {
    const worker = request.url ?? ''
    const server = started.get(worker) ?? startServer()
    started.set(worker, server)
    server.then(
      ({ url }) => response.end(url),
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
  })
  await listen(door, 0, '127.0.0.1')
  // Test files are processes of their own, and get it from here.
  process.env['TEST_POSTGRES'] = urlOf(door, '127.0.0.1')
  return async () => {
    door.close()
    door.closeAllConnections()
    // One that did not start has said so to who asked for it.
    await Promise.all(
      [...started.values()].map((server) =>
        server.then(
          ({ stop }) => stop(),
          () => undefined,
        ),
      ),
    )
  }
}
