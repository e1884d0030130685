import { connect, createServer, type Server, type Socket } from 'node:net'

/** Requests of Kafka's protocol by their key: those after which a lost answer leaves the client in doubt. */
export const cuttable = { produce: 0, endTransaction: 26, transactionOffsetCommit: 28 } as const

export interface TcpProxy {
  /** How likely the line is cut after one of the `cuttable` requests was passed on: its answer is lost. */
  cutProbability: number
  /** How often the line was cut, by the key of the request. */
  readonly cuts: Map<number, number>
  /** How many requests came by, by their key. */
  readonly requests: Map<number, number>
  /** Cuts all lines. */
  cutAll(): void
  stop(): Promise<void>
}

/** Stands between clients and a broker, sees what they ask, and cuts lines. */
export function startTcpProxy(port: number, targetPort: number, random: () => number): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  const keys = new Set<number>(Object.values(cuttable))
  const cuts = new Map<number, number>()
  const requests = new Map<number, number>()
  const server: Server = createServer((client) => {
    const broker = connect(targetPort, '127.0.0.1')
    for (const socket of [client, broker]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        broker.destroy()
      })
    }
    let isCut = false
    const frames = new FrameKeys()
    client.on('data', (chunk: Buffer) => {
      broker.write(chunk)
      for (const key of frames.read(chunk)) {
        requests.set(key, (requests.get(key) ?? 0) + 1)
        if (!keys.has(key) || random() >= proxy.cutProbability) continue
        cuts.set(key, (cuts.get(key) ?? 0) + 1)
        isCut = true
        // The request is on its way; whatever is answered does not arrive.
        setTimeout(() => client.destroy(), 20)
      }
    })
    broker.on('data', (chunk: Buffer) => {
      if (!isCut) client.write(chunk)
    })
  })
  const proxy: TcpProxy = {
    cutProbability: 0,
    cuts,
    requests,
    cutAll: () => {
      for (const socket of sockets) socket.destroy()
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(proxy))
  })
}

/** The keys of requests as their headers come by: length (4 bytes), key (2 bytes), … */
class FrameKeys {
  #head = Buffer.alloc(0)
  #bodyLeft = 0

  read(chunk: Buffer): number[] {
    const keys: number[] = []
    let at = 0
    while (at < chunk.length) {
      if (this.#bodyLeft > 0) {
        const taken = Math.min(this.#bodyLeft, chunk.length - at)
        this.#bodyLeft -= taken
        at += taken
        continue
      }
      const needed = 6 - this.#head.length
      this.#head = Buffer.concat([this.#head, chunk.subarray(at, at + needed)])
      at += Math.min(needed, chunk.length - at)
      if (this.#head.length < 6) break
      keys.push(this.#head.readInt16BE(4))
      this.#bodyLeft = this.#head.readInt32BE(0) - 2
      this.#head = Buffer.alloc(0)
    }
    return keys
  }
}
