import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { addressPrefix } from '@voting/election/address-prefix'
import { type WebSocket, WebSocketServer } from 'ws'
import { inboundBytesMax, subProtocol } from './protocol.ts'

export interface DoorOptions {
  /** WebSockets this process takes. */
  readonly connectionsMax: number
  /** Those of one address, or of one /64 network of IPv6. 0: as many as it likes. Default 0. */
  readonly connectionsPerAddressMax?: number
  /** How many proxies stand before this app: whose word on the address is taken. Default none. */
  readonly proxyHops?: number
  /** Origins that may connect besides the page's own. */
  readonly allowedOrigins: readonly string[]
}

/** A request that has not said what it wants by then wants nothing. */
const handshakeMsMax = 5000
/** When whoever is refused for want of room may come again. */
const retryAfterSeconds = 5

/** Who gets in: path, sub-protocol, origin and number are looked at before anything is promised. */
export class Door {
  readonly #options: DoorOptions
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: inboundBytesMax,
    perMessageDeflate: false,
    clientTracking: false,
    handleProtocols: (protocols) => (protocols.has(subProtocol) ? subProtocol : false),
  })
  readonly #byAddress = new Map<string, number>()
  #inside = 0
  #isShut = false
  /** Handshakes by what became of them. */
  readonly handshakes = { opened: 0, refused: 0 }

  constructor(options: DoorOptions) {
    this.#options = options
  }

  attach(server: Server, onOpen: (webSocket: WebSocket) => void): void {
    server.headersTimeout = Math.min(server.headersTimeout, handshakeMsMax)
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head, onOpen))
  }

  /** Nobody gets in any more; those inside stay. */
  shut(): void {
    this.#isShut = true
  }

  close(): void {
    this.#server.close()
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, onOpen: (webSocket: WebSocket) => void): void {
    // Whoever breaks off in the middle breaks nothing here.
    socket.on('error', () => socket.destroy())
    const refuse = (status: string, header = ''): void => {
      this.handshakes.refused++
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n${header}\r\n`)
    }
    if (request.url?.split('?', 1)[0] !== '/ws') return refuse('404 Not Found')
    // Who asks for others expects another one than it would get; who names none takes what there is.
    const offered = request.headers['sec-websocket-protocol']?.split(',').map((name) => name.trim())
    if (offered && !offered.includes(subProtocol)) return refuse('400 Bad Request')
    if (!this.#isOriginAllowed(request)) return refuse('403 Forbidden')
    const later = `Retry-After: ${retryAfterSeconds}\r\n`
    if (this.#isShut || this.#inside >= this.#options.connectionsMax) return refuse('503 Service Unavailable', later)
    const address = this.#addressOf(request)
    const { connectionsPerAddressMax = 0 } = this.#options
    const ofAddress = this.#byAddress.get(address) ?? 0
    if (connectionsPerAddressMax > 0 && ofAddress >= connectionsPerAddressMax) {
      return refuse('429 Too Many Requests', later)
    }
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      this.handshakes.opened++
      this.#inside++
      this.#byAddress.set(address, (this.#byAddress.get(address) ?? 0) + 1)
      webSocket.on('close', () => this.#left(address))
      onOpen(webSocket)
    })
  }

  #left(address: string): void {
    this.#inside--
    const others = (this.#byAddress.get(address) ?? 1) - 1
    if (others > 0) this.#byAddress.set(address, others)
    else this.#byAddress.delete(address)
  }

  #addressOf({ socket, headers }: IncomingMessage): string {
    const { proxyHops = 0 } = this.#options
    const forwarded = headers['x-forwarded-for']
    const said = (Array.isArray(forwarded) ? forwarded.join(',') : (forwarded ?? '')).split(',')
    // Each proxy adds whom it was asked by; what stands before those was said by anybody.
    const address = proxyHops > 0 ? said.at(-proxyHops)?.trim() : ''
    return addressPrefix(address || (socket.remoteAddress ?? ''))
  }

  /** Programs send no origin; a browser's must be the page's own, or one that was allowed. */
  #isOriginAllowed({ headers }: IncomingMessage): boolean {
    const { origin, host } = headers
    if (origin === undefined) return true
    if (this.#options.allowedOrigins.includes(origin)) return true
    return URL.canParse(origin) && new URL(origin).host === host
  }
}
