import { createServer, request, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'

export interface Answer {
  readonly status: number
  readonly headers: { readonly [name: string]: string | readonly string[] | undefined }
  readonly text: string
}

export function get(port: number, path: string, headers = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, path, headers, method, host: '127.0.0.1' }, (response) => {
      let text = ''
      response.on('data', (part) => (text += String(part)))
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text }))
    })
    sent.on('error', reject)
    sent.end()
  })
}

export async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

export async function serve(port: number, listener: RequestListener): Promise<Server> {
  const server = createServer(listener).listen(port, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  return server
}

export const stop = (server: Server): Promise<unknown> =>
  new Promise((resolve) => (server.closeAllConnections(), server.close(resolve)))

/** Tries until nothing in it fails any more; fails with what it failed with last. */
export async function until(check: () => Promise<void>, deadlineMs = 15_000): Promise<void> {
  for (const end = Date.now() + deadlineMs; ; await new Promise((resolve) => setTimeout(resolve, 25))) {
    try {
      return await check()
    } catch (error) {
      if (Date.now() > end) throw error
    }
  }
}
