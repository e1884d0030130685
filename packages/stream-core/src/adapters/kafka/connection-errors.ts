import type { ConnectionOptions as TlsOptions } from 'node:tls'
import { ConfigError, StreamsError } from '../../common/errors.ts'
import { errorCode } from './kafka-errors.ts'
import { askForMechanisms, Connection, introduce, type KafkaSasl, type Node, type WireOptions } from './wire.ts'

/**
 * Why a broker cannot be spoken to as configured: what no waiting mends is a ConfigError that names the option and the way
 * out. A broker often says nothing and hangs up, as one does that is being restarted; then it is asked in another way.
 */

interface AnyError {
  readonly message?: string
  readonly code?: unknown
  readonly apiCode?: number
  readonly serverErrorMessage?: string | null
  readonly response?: { readonly mechanisms?: readonly string[] }
  readonly cause?: unknown
  readonly errors?: readonly unknown[]
}

/** An error and what caused it, the innermost last. */
function chainOf(error: unknown): AnyError[] {
  const chain: AnyError[] = []
  for (let next = error as AnyError | null | undefined; next && chain.length < 10;) {
    chain.push(next)
    next = (next.errors?.[0] ?? next.cause) as AnyError | null | undefined
  }
  return chain
}

/** OpenSSL's verdicts on certificates, and alerts in the handshake; an internal error of the broker may pass. */
const tlsCode =
  /CERT|CRL|^ERR_TLS_|^ERR_SSL_.*(?:ALERT(?!_INTERNAL)|WRONG_VERSION|PACKET_LENGTH|HTTP_REQUEST|PROTOCOL|CIPHER)|^INVALID_|^HOSTNAME_|^PATH_LENGTH|^UNABLE_TO_/
const wrongProtocol = /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST/

/** What the library says where it finds out by itself. */
const tlsWanted = 'Broker requires TLS'

/** The error to give up with; null where trying again may help. */
export function problemOf(error: unknown, address: string, { tls, sasl }: WireOptions): StreamsError | null {
  const chain = chainOf(error)
  for (const inner of chain) {
    const { message = '', code, apiCode, serverErrorMessage } = inner
    if (inner instanceof StreamsError) return inner
    if (message.includes(tlsWanted)) return wantsTls(address)
    if (apiCode === errorCode.saslAuthenticationFailed) return notLetIn(address, sasl, serverErrorMessage ?? '')
    if (apiCode === errorCode.unsupportedSaslMechanism) {
      const known = chain.find(({ response }) => response?.mechanisms)?.response?.mechanisms ?? []
      return new ConfigError(
        'sasl.mechanism',
        `sasl.mechanism: the broker at ${address} does not take ${sasl?.mechanism}, but ${known.join(', ') || 'others'}`,
      )
    }
    if (apiCode === errorCode.illegalSaslState) {
      return new ConfigError('sasl', `sasl: the broker at ${address} asks nobody who he is: leave the option out`)
    }
    if (typeof code === 'string' && tlsCode.test(code)) return tlsProblem(address, tls, code, message)
  }
  const last = chain[chain.length - 1]
  // The library's own verdict, not a connection that broke: a server that does not know the password either, for example.
  if (last?.code === 'PLT_KFK_AUTHENTICATION') return notLetIn(address, sasl, last.message ?? '')
  return null
}

const wantsTls = (address: string): ConfigError =>
  new ConfigError('tls', `tls: the broker at ${address} wants TLS: give the option, if only as {}`)

const wantsNoTls = (address: string): ConfigError =>
  new ConfigError('tls', `tls: the broker at ${address} does not speak TLS on this port: leave the option out`)

function notLetIn(address: string, sasl: KafkaSasl | undefined, reason: string): ConfigError {
  const isToken = sasl?.mechanism === 'OAUTHBEARER'
  const option = isToken ? 'sasl.token' : 'sasl.password'
  const who = isToken ? 'the token' : `the user ${JSON.stringify(sasl?.username)} with this password`
  return new ConfigError(option, `${option}: the broker at ${address} does not let ${who} in: ${reason}`)
}

function tlsProblem(address: string, tls: TlsOptions | undefined, code: string, message: string): ConfigError {
  if (wrongProtocol.test(code)) return wantsNoTls(address)
  // Of `…:SSL routines:ssl3_read_bytes:ssl/tls alert bad certificate:../deps/…` one part is for people.
  const what = `${/:([^:]* alert [^:]*):/.exec(message)?.[1] ?? message} (${code})`
  if (code.startsWith('ERR_SSL_')) {
    const hint = tls?.cert || tls?.pfx ? '' : '; it may want a certificate of ours: tls.cert and tls.key, or tls.pfx'
    return new ConfigError('tls', `tls: the broker at ${address} refuses the connection: ${what}${hint}`)
  }
  const hint =
    code === 'ERR_TLS_CERT_ALTNAME_INVALID'
      ? 'use the name it was made for, or say it as tls.servername'
      : 'give what vouches for it as tls.ca'
  return new ConfigError('tls', `tls: the certificate of the broker at ${address} is not trusted: ${what}; ${hint}`)
}

/** An accepted connection that ended; as opposed to nobody there, or nobody who answers. */
export function isHangUp(error: unknown): boolean {
  const chain = chainOf(error)
  return !chain.some(
    ({ message = '', code }) =>
      /timed out|no answer within|pool is closed/.test(message) ||
      (typeof code === 'string' && /^E(?!CONNRESET|PIPE)/.test(code) && !code.startsWith('ERR_')),
  )
}

/** Finds out why a broker hangs up without a word. Rejects with what it found; what else goes wrong is no matter here. */
export async function findMismatch(node: Node, { tls, sasl }: WireOptions): Promise<void> {
  const address = `${node.host}:${node.port}`
  // 1. As configured, but without authentication.
  let hasHungUp = false
  await greet(node, tls, async (connection) => {
    if (sasl !== undefined) return
    const mechanisms = await askForMechanisms(connection)
    if (mechanisms === null) return
    throw new ConfigError(
      'sasl',
      `sasl: the broker at ${address} asks who we are: give the option, with the mechanism ${mechanisms.join(' or ')}`,
    )
  }).catch((error: unknown) => {
    const problem = problemOf(error, address, { ...(tls && { tls }) })
    if (problem !== null) throw problem
    hasHungUp = isHangUp(error)
  })
  // 2. Without TLS.
  if (!hasHungUp || tls === undefined) return
  const isPlain = await greet(node, undefined, () => Promise.resolve()).then(
    () => true,
    () => false,
  )
  if (isPlain) throw wantsNoTls(address)
}

async function greet(
  { host, port }: Node,
  tls: TlsOptions | undefined,
  use: (connection: Connection) => Promise<void>,
): Promise<void> {
  const connection = new Connection('stream-core', { connectTimeout: 2000, requestTimeout: 2000, ...(tls && { tls }) })
  connection.on('error', () => undefined)
  try {
    await connection.connect(host, port)
    await introduce(connection, `${host}:${port}`)
    await use(connection)
  } finally {
    connection.socket?.destroy()
    await connection.close()
  }
}

/** What is wrong with the option itself. */
export function saslProblem(sasl: KafkaSasl): ConfigError | null {
  const given = sasl as { readonly [name: string]: unknown }
  const isText = (name: string): boolean => typeof given[name] === 'string' && given[name] !== ''
  if (sasl.mechanism === 'OAUTHBEARER') {
    if (isText('token') || typeof sasl.token === 'function') return null
    return new ConfigError('sasl.token', 'sasl.token: OAUTHBEARER needs a token, or a function that gives one')
  }
  if (!['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'].includes(sasl.mechanism)) {
    return new ConfigError(
      'sasl.mechanism',
      `sasl.mechanism: ${JSON.stringify(given['mechanism'])} is none of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER`,
    )
  }
  for (const name of ['username', 'password']) {
    if (!isText(name)) return new ConfigError(`sasl.${name}`, `sasl.${name}: ${sasl.mechanism} needs one`)
  }
  return null
}
