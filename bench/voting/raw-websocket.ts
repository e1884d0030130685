import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'

export interface RawWebSocketOptions {
  /** Of the viewer, as http://host:port. */
  readonly url: string
  /** Source address: each has its own ports. */
  readonly localAddress?: string
  readonly onOpen: () => void
  /** The bytes of a text frame; they are another frame's after the call. */
  readonly onText: (payload: Buffer) => void
  /** Told once, also when it was never opened; the code is 0 where there was none. */
  readonly onClose: (code: number) => void
}

const textOpcode = 1
const closeOpcode = 8
const pingOpcode = 9
const pongOpcode = 10

/**
 * A WebSocket of `tally.v1`, as little of one as can be: a library's would take more of the machine than the server that is
 * measured. Reads frames without decoding them, answers pings, and checks nothing.
 */
export class RawWebSocket {
  readonly #options: RawWebSocketOptions
  readonly #socket: Socket
  #isOpen = false
  #rest: Buffer | null = null
  #closeCode = 0

  constructor(options: RawWebSocketOptions) {
    this.#options = options
    const { hostname, port, host } = new URL(options.url)
    const socket = connect({
      host: hostname,
      port: Number(port),
      ...(options.localAddress && { localAddress: options.localAddress }),
    })
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('connect', () => {
      const key = randomBytes(16).toString('base64')
      socket.write(
        `GET /ws HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: tally.v1\r\n\r\n`,
      )
    })
    socket.on('data', (bytes) => this.#receive(bytes))
    socket.on('error', () => undefined) // a close follows
    socket.on('close', () => options.onClose(this.#closeCode))
  }

  send(text: string): void {
    this.#sendFrame(textOpcode, Buffer.from(text))
  }

  /** Reads nothing any more, as a page of a machine that sleeps. */
  stall(): void {
    this.#socket.pause()
  }

  close(): void {
    this.#socket.destroy()
  }

  /** Clients have to mask; a mask of zeros is one. */
  #sendFrame(opcode: number, payload: Buffer): void {
    if (payload.length > 125) throw new Error('only short messages are sent')
    const frame = Buffer.alloc(6 + payload.length)
    frame[0] = 0x80 | opcode
    frame[1] = 0x80 | payload.length
    payload.copy(frame, 6)
    this.#socket.write(frame)
  }

  #receive(bytes: Buffer): void {
    let input = this.#rest === null ? bytes : Buffer.concat([this.#rest, bytes])
    this.#rest = null
    if (!this.#isOpen) {
      const end = input.indexOf('\r\n\r\n')
      if (end < 0) {
        this.#rest = input
        return
      }
      if (!input.subarray(0, 12).equals(Buffer.from('HTTP/1.1 101'))) {
        this.#closeCode = Number(input.toString('latin1', 9, 12))
        this.#socket.destroy()
        return
      }
      this.#isOpen = true
      this.#options.onOpen()
      input = input.subarray(end + 4)
    }
    let at = 0
    while (input.length - at >= 2) {
      const short = input[at + 1]! & 0x7f
      const headBytes = short === 126 ? 4 : short === 127 ? 10 : 2
      if (input.length - at < headBytes) break
      const length =
        short === 126 ? input.readUInt16BE(at + 2) : short === 127 ? Number(input.readBigUInt64BE(at + 2)) : short
      const end = at + headBytes + length
      if (input.length < end) break
      this.#frame(input[at]! & 0x0f, input.subarray(at + headBytes, end))
      at = end
    }
    if (at < input.length) this.#rest = Buffer.from(input.subarray(at))
  }

  #frame(opcode: number, payload: Buffer): void {
    if (opcode === textOpcode) return this.#options.onText(payload)
    if (opcode === pingOpcode) return this.#sendFrame(pongOpcode, payload)
    if (opcode === closeOpcode) {
      this.#closeCode = payload.length >= 2 ? payload.readUInt16BE(0) : 1005
      this.#socket.end()
    }
  }
}
