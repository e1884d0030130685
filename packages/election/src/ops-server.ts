import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Registry } from 'prom-client'

export interface OpsServerOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** One that listens there already, for an app that has to know its port before it knows what to answer. */
  readonly server?: Server
  readonly registry: Registry
  /** null when it can serve; else why not. */
  readonly readiness: () => string | null | Promise<string | null>
  /** What a start that takes its time tells of itself, for `/startupz`. Default: nothing. */
  readonly startup?: () => object | Promise<object>
  /** What else is served, by an app that has more to show; it calls `next` for what is not its own. */
  readonly also?: (request: IncomingMessage, response: ServerResponse, next: () => void) => void
}

/**
 * `/livez`, `/readyz`, `/startupz` and `/metrics`, apart from what the public reaches. Live means that the event loop turns:
 * it stays so through outages and restores, or a supervisor would restart what is recovering. Started it is from the first
 * time that it was ready: 503 before, with what is still to be done, and 200 for ever after.
 */
export async function openOpsServer(options: OpsServerOptions): Promise<{ url: string; close(): Promise<void> }> {
  let hasStarted = false
  const whetherReady = async (): Promise<string | null> => {
    const reason = await options.readiness()
    if (reason === null) hasStarted = true
    return reason
  }
  const started = async (): Promise<object> => {
    const reason = hasStarted ? null : await whetherReady()
    return { started: hasStarted, ...(reason !== null && { reason }), ...(await options.startup?.()) }
  }
  const server = options.server ?? createServer()
  server.on('request', (request, response) => {
    const answer = (status: number, body: string, type = 'text/plain; charset=utf-8'): void => {
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body)
    }
    const path = request.url?.split('?', 1)[0]
    if (path === '/livez') return answer(200, 'live\n')
    if (path === '/readyz') {
      whetherReady().then(
        (reason) => (reason === null ? answer(200, 'ready\n') : answer(503, `${reason}\n`)),
        (error: unknown) => answer(503, `${String(error)}\n`),
      )
      return
    }
    if (path === '/startupz') {
      started().then(
        (state) => answer(hasStarted ? 200 : 503, `${JSON.stringify(state)}\n`, 'application/json; charset=utf-8'),
        (error: unknown) => answer(503, `${JSON.stringify({ started: false, reason: String(error) })}\n`),
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
    const notFound = (): void => answer(404, 'not found\n')
    if (options.also === undefined) notFound()
    else options.also(request, response, notFound)
  })
  if (!server.listening) await listen(server, options.port, options.host)
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

export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
