import { createServer, type Server as HttpServer } from 'node:http'
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net'

/** How many connections are accepted in one turn of the event loop, at most. */
const doorCount = 32
/** Connections that the kernel keeps until they are accepted; Linux gives no more than `net.core.somaxconn`. */
const backlog = 4096
/** Only Linux deals connections out evenly among those who listen on one port. */
const canShare = process.platform === 'linux'

export interface ListenAt {
  readonly host: string
  readonly port: number
}

export interface DoorOptions extends ListenAt {
  readonly backlog: number
  readonly reusePort: boolean
}

/**
 * Lets a server accept more than one connection in a turn of the event loop, which is all that one listening socket of Node does:
 * a server that has much to do in each turn would let nobody in, and could not even tell them to come again (D141). So
 * there are several sockets on the same port, which hand what they accept to the one server. Elsewhere than on Linux there is one.
 */
export class Doors {
  readonly #others: readonly Server[]

  private constructor(others: readonly Server[]) {
    this.#others = others
  }

  /** `listen` opens the first door: the server's own. An address that is in use is its error, as ever. */
  static async open(
    server: HttpServer,
    at: ListenAt,
    listen: (options: DoorOptions) => Promise<unknown>,
  ): Promise<Doors> {
    // Those who share a port are not told of each other: a second program there would take half of the connections.
    if (canShare && at.port !== 0) await close(await listening(createServer(), { ...at, backlog, reusePort: false }))
    await listen({ ...at, backlog, reusePort: canShare })
    if (!canShare) return new Doors([])
    const { address: host, port } = server.address() as AddressInfo
    const others: Server[] = []
    try {
      while (others.length < doorCount - 1) {
        const door = createTcpServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
          server.emit('connection', socket),
        )
        others.push(await listening(door, { host, port, backlog, reusePort: true }))
      }
    } catch (error) {
      await Promise.all(others.map(close))
      throw error
    }
    return new Doors(others)
  }

  /** Accepts no more; resolves when the connections that came in by these doors have ended, which is up to the server. */
  async close(): Promise<void> {
    await Promise.all(this.#others.map(close))
  }
}

function listening<T extends Server>(server: T, options: DoorOptions): Promise<T> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(options, () => {
      server.off('error', reject)
      resolve(server)
    })
  })
}

const close = (server: Server): Promise<void> => new Promise((resolve) => void server.close(() => resolve()))
