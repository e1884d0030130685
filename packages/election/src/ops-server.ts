import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Registry } from 'prom-client'

export interface OpsServerOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  readonly registry: Registry
  /** null when it can serve; else why not. */
  readonly readiness: () => string | null | Promise<string | null>
}

/**
 * `/livez`, `/readyz` and `/metrics`, apart from what the public reaches. Live means that the event loop turns: it stays
 * so through outages and restores, or a supervisor would restart what is recovering.
 */
export async function openOpsServer(options: OpsServerOptions): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const answer = (status: number, body: string, type = 'text/plain; charset=utf-8'): void => {
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body)
    }
    const path = request.url?.split('?', 1)[0]
    if (path === '/livez') return answer(200, 'live\n')
    if (path === '/readyz') {
      Promise.resolve()
        .then(options.readiness)
        .then(
          (reason) => (reason === null ? answer(200, 'ready\n') : answer(503, `${reason}\n`)),
          (error: unknown) => answer(503, `${String(error)}\n`),
        )
      return
    }
    if (path === '/metrics') {
      options.registry.metrics().then(
        (text) => answer(200, text, options.registry.contentType),
        (error: unknown) => answer(500, `${String(error)}\n`),
      )
      return
    }
    answer(404, 'not found\n')
  })
  await listen(server, options.port, options.host)
  return { url: urlOf(server, options.host), close: () => closeServer(server) }
}

export function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/** Where a listening server is to be reached; a wildcard address is named localhost. */
export function urlOf(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host
  return `http://${name}:${port}`
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
