import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isEndpoint } from '../common/endpoint.ts'
import type { ForwardOptions } from './router-options.ts'

/** Says that a request comes from another instance: it is answered here, or not at all. */
export const forwardedHeader = 'x-stream-core-forwarded'

export interface PeerAnswer {
  readonly status: number
  readonly body: { readonly [name: string]: unknown }
}

/** Asks another instance. Rejects when it gives no answer in time, or none that is JSON. */
export function askPeer(
  endpoint: string,
  path: string,
  timeoutMs: number,
  options: ForwardOptions,
  answerBytesMax = 64 * 1024 * 1024,
): Promise<PeerAnswer> {
  return new Promise((resolve, reject) => {
    // It comes from the group's other members: whoever joins the group could name anything.
    if (!isEndpoint(endpoint)) return reject(new Error('no endpoint'))
    const at = endpoint.lastIndexOf(':')
    const hostname = endpoint.slice(0, at).replace(/^\[(.*)\]$/, '$1')
    const send = options.protocol === 'https:' ? httpsRequest : httpRequest
    const headers = { accept: 'application/json', ...options.headers, [forwardedHeader]: '1' }
    const signal = AbortSignal.timeout(timeoutMs)
    const request = send(
      { ...options, hostname, port: Number(endpoint.slice(at + 1)), path, method: 'GET', headers, signal },
      (response) => {
        const parts: Buffer[] = []
        let size = 0
        response.on('data', (part: Buffer) => {
          size += part.length
          if (size > answerBytesMax) response.destroy(new Error('the answer is too long'))
          else parts.push(part)
        })
        response.on('error', reject)
        response.on('end', () => {
          try {
            const body = JSON.parse(Buffer.concat(parts).toString()) as PeerAnswer['body']
            if (typeof body !== 'object' || body === null) throw new Error('the answer is no object')
            resolve({ status: response.statusCode ?? 0, body })
          } catch (error) {
            reject(error)
          }
        })
      },
    )
    request.on('error', reject)
    request.end()
  })
}
