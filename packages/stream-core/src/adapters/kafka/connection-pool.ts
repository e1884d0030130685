import { createSecureContext } from 'node:tls'
import { ConfigError, StreamsError } from '../../common/errors.ts'
import { findMismatch, isHangUp, problemOf, saslProblem } from './connection-errors.ts'
import { unavailable } from './kafka-errors.ts'
import { within } from './waiting.ts'
import {
  type Connection,
  ConnectionPool,
  introduce,
  type KafkaSasl,
  type Node,
  peerOf,
  type WireOptions,
} from './wire.ts'

export const connectTimeoutMs = 5000

/** Throws a ConfigError where the options cannot work with any broker. */
export function checkSecurity({ tls, sasl }: WireOptions): void {
  if (tls !== undefined) {
    try {
      createSecureContext(tls)
    } catch (error) {
      throw new ConfigError('tls', `tls: certificates or keys that cannot be used: ${(error as Error).message}`)
    }
  }
  const problem = sasl === undefined ? null : saslProblem(sasl)
  if (problem !== null) throw problem
}

/**
 * Connections by broker for one purpose: a broker answers one request at a time per connection. Each is encrypted and
 * authenticated as the options say, and has been asked what it can before it is handed out.
 */
export class Pool {
  readonly #pool: ConnectionPool
  readonly #options: WireOptions
  readonly #introductions = new WeakMap<Connection, Promise<void>>()
  /** Brokers that hung up on us without a word. */
  readonly #suspects = new Set<string>()

  constructor(clientId: string, options: WireOptions, requestTimeoutMs: number) {
    const { tls, sasl } = options
    this.#options = options
    this.#pool = new ConnectionPool(clientId, {
      connectTimeout: connectTimeoutMs,
      requestTimeout: requestTimeoutMs,
      ...(tls && { tls }),
      ...(sasl && { sasl: saslOptions(sasl) }),
    })
    // What the library leaves behind: an error that nobody hears of ends the process; a connection that failed stays half
    // open; one that was closed by its broker keeps the timer of its next authentication.
    this.#pool.on('connecting', ({ connection }) => {
      connection.on('error', () => void connection.socket?.destroy())
    })
    this.#pool.on('disconnect', ({ broker, connection }) => {
      void connection.close()
      if (peerOf(connection)?.isHeard === false) this.#suspects.add(`${broker.host}:${broker.port}`)
    })
  }

  /** Rejects with a ConfigError when the broker cannot be spoken to as configured, else with a BrokerError: nothing was sent. */
  async get({ host, port }: Node): Promise<Connection> {
    const address = `${host}:${port}`
    const isNew = !this.#pool.has({ host, port })
    try {
      if (this.#suspects.delete(address)) await findMismatch({ host, port }, this.#options)
      const connection = await this.#pool.get({ host, port })
      if (peerOf(connection) === undefined) await this.#introduce(connection, address)
      return connection
    } catch (error) {
      // A session that could not be renewed says little: the next connection says why, if it is refused too.
      const problem = isNew || error instanceof StreamsError ? problemOf(error, address, this.#options) : null
      if (problem !== null) throw problem
      if (isHangUp(error)) this.#suspects.add(address)
      throw unavailable(`no connection to ${address}`, error)
    }
  }

  close(): Promise<void> {
    return this.#pool.close()
  }

  async #introduce(connection: Connection, address: string): Promise<void> {
    let asking = this.#introductions.get(connection)
    if (asking === undefined) {
      let cause: unknown = null
      connection.once('error', (error) => (cause = error))
      asking = within(connectTimeoutMs, introduce(connection, address)).catch((error: unknown) => {
        connection.socket.destroy()
        throw cause ?? error // why a connection ended says more than that it did
      })
      this.#introductions.set(connection, asking)
    }
    await asking
  }
}

function saslOptions(sasl: KafkaSasl) {
  if (sasl.mechanism !== 'OAUTHBEARER') return sasl
  return {
    mechanism: sasl.mechanism,
    token: () => provideToken(sasl.token),
    ...(sasl.extensions && { oauthBearerExtensions: { ...sasl.extensions } }),
    /** A token that is refused is answered with a reason, and no error code. */
    authBytesValidator(answer: Buffer, done: (error: Error | null, answer?: Buffer) => void): void {
      if (answer.length === 0) done(null, answer)
      else done(new ConfigError('sasl.token', `sasl.token: the broker does not take the token: ${answer.toString()}`))
    },
  }
}

async function provideToken(token: string | (() => string | Promise<string>)): Promise<string> {
  let given: unknown = token
  try {
    if (typeof token === 'function') given = await token()
  } catch (error) {
    throw unavailable('the function sasl.token failed', error)
  }
  if (typeof given === 'string' && given !== '') return given
  throw new ConfigError('sasl.token', 'sasl.token: the function has to give a token, and gave none')
}
