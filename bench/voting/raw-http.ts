import { connect, type Socket } from 'node:net'

export interface RawAnswer {
  readonly status: number
  readonly body: string
}

interface Waiting {
  readonly resolve: (answer: RawAnswer) => void
  readonly reject: (error: Error) => void
}

const headEnd = '\r\n\r\n'

/**
 * One kept-alive connection that posts JSON, one request at a time: what a client must do and nothing else, so that thousands of
 * requests a second leave the machine to whom they are for. Answers have to say their length, and whether the connection ends. One that breaks
 * rejects the request that is under way and is made anew by the next.
 */
export class RawHttp {
  readonly #url: URL
  readonly #localAddress: string | undefined
  #socket: Socket | null = null
  #waiting: Waiting | null = null
  #received = ''

  constructor(url: string, localAddress?: string) {
    this.#url = new URL(url)
    this.#localAddress = localAddress
  }

  post(path: string, body: string, headers = ''): Promise<RawAnswer> {
    if (this.#waiting !== null) throw new Error('the request before has no answer yet')
    const { host } = this.#url
    const length = Buffer.byteLength(body)
    const request = `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n${headers}Content-Length: ${length}\r\n\r\n${body}`
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#socket ??= this.#open()
      this.#socket.write(request)
    })
  }

  close(): void {
    this.#socket?.destroy()
    this.#socket = null
  }

  #open(): Socket {
    const { hostname, port } = this.#url
    const socket = connect({
      host: hostname,
      port: Number(port),
      ...(this.#localAddress && { localAddress: this.#localAddress }),
    })
    socket.setNoDelay(true)
    socket.setEncoding('latin1')
    socket.on('data', (text) => this.#receive(String(text)))
    socket.on('error', (error) => this.#broken(socket, error))
    socket.on('close', () => this.#broken(socket, new Error('the connection was closed')))
    return socket
  }

  #broken(socket: Socket, error: Error): void {
    if (this.#socket !== socket) return
    this.#socket = null
    this.#received = ''
    const waiting = this.#waiting
    this.#waiting = null
    waiting?.reject(error)
  }

  #receive(text: string): void {
    this.#received += text
    const end = this.#received.indexOf(headEnd)
    if (end < 0) return
    const head = this.#received.slice(0, end)
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0)
    const bodyFrom = end + headEnd.length
    if (this.#received.length < bodyFrom + length) return
    const answer = { status: Number(head.slice(9, 12)), body: this.#received.slice(bodyFrom, bodyFrom + length) }
    this.#received = ''
    if (/\r\nconnection: *close/i.test(head)) this.close()
    const waiting = this.#waiting
    this.#waiting = null
    waiting?.resolve(answer)
  }
}
