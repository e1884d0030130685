import { type Certificates, storePassword } from './certificates.ts'

export type SaslMechanism = 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512' | 'OAUTHBEARER'
export const saslMechanisms: readonly SaslMechanism[] = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER']

export interface Settings {
  readonly [name: string]: string
}

export interface Ports {
  readonly client: number
  /** Between brokers, and for us to see whether a broker is ready: never encrypted. */
  readonly internal: number
  readonly controller: number
  /** Where a proxy passes on to; 0 without one. */
  readonly proxied: number
}

export interface Security {
  readonly certificates: Certificates | null
  readonly isMutual: boolean
  readonly sasl: readonly SaslMechanism[]
  readonly users: { readonly [name: string]: string }
}

const protocolOf = ({ certificates, sasl }: Security): string =>
  `${sasl.length > 0 ? 'SASL_' : ''}${certificates ? 'SSL' : 'PLAINTEXT'}`

/** `server.properties` of one node of a cluster, which is broker and controller. */
export function nodeSettings(
  nodes: readonly Ports[],
  index: number,
  folder: string,
  security: Security,
  proxyPort: number | undefined,
): Settings {
  const { client, internal, controller, proxied } = nodes[index]!
  const copies = String(Math.min(3, nodes.length))
  const inSync = nodes.length > 1 ? '2' : '1'
  const listeners = [`CLIENT://127.0.0.1:${client}`, `INTERNAL://127.0.0.1:${internal}`]
  const isProxied = proxyPort !== undefined
  return {
    'process.roles': 'broker,controller',
    'node.id': String(index + 1),
    listeners: [
      ...listeners,
      `CONTROLLER://127.0.0.1:${controller}`,
      ...(isProxied ? [`PROXIED://127.0.0.1:${proxied}`] : []),
    ].join(','),
    'advertised.listeners': [...listeners, ...(isProxied ? [`PROXIED://127.0.0.1:${proxyPort}`] : [])].join(','),
    'listener.security.protocol.map': `CLIENT:${protocolOf(security)},INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT`,
    'inter.broker.listener.name': 'INTERNAL',
    'controller.listener.names': 'CONTROLLER',
    'controller.quorum.voters': nodes.map((ports, i) => `${i + 1}@127.0.0.1:${ports.controller}`).join(','),
    'log.dirs': folder,
    'default.replication.factor': copies,
    'min.insync.replicas': inSync,
    'offsets.topic.replication.factor': copies,
    'offsets.topic.num.partitions': '5',
    'transaction.state.log.replication.factor': copies,
    'transaction.state.log.min.isr': inSync,
    'transaction.state.log.num.partitions': '5',
    'share.coordinator.state.topic.replication.factor': copies,
    'group.initial.rebalance.delay.ms': '0',
    'auto.create.topics.enable': 'false',
    // Records of tests and of past elections are old: half a minute after its start a broker would delete them, and say nothing.
    'log.retention.ms': '-1',
    // A broker that was killed is missed soon, and may come back: one that is still thought to be there is kept out.
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    ...tlsSettings(security),
    ...saslSettings(security),
  }
}

function tlsSettings({ certificates, isMutual }: Security): Settings {
  if (certificates === null) return {}
  return {
    'ssl.keystore.type': 'PKCS12',
    'ssl.keystore.location': certificates.brokerStore,
    'ssl.keystore.password': storePassword,
    'ssl.key.password': storePassword,
    ...(isMutual && {
      'listener.name.client.ssl.client.auth': 'required',
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.location': certificates.clientCertificate,
    }),
  }
}

/** SCRAM's users are in the cluster's metadata: the storage is formatted with them. */
function saslSettings({ sasl, users }: Security): Settings {
  if (sasl.length === 0) return {}
  const prefix = 'listener.name.client'
  const modules = 'org.apache.kafka.common.security'
  const known = Object.entries(users).map(([name, password]) => `user_${name}="${password}"`)
  const scram = `${modules}.scram.ScramLoginModule required;`
  return {
    'sasl.enabled.mechanisms': sasl.join(','),
    [`${prefix}.plain.sasl.jaas.config`]: `${modules}.plain.PlainLoginModule required ${known.join(' ')};`,
    [`${prefix}.scram-sha-256.sasl.jaas.config`]: scram,
    [`${prefix}.scram-sha-512.sasl.jaas.config`]: scram,
    [`${prefix}.oauthbearer.sasl.jaas.config`]: `${modules}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
  }
}

/** How `StorageTool format` is told of the users. */
export const scramOptions = ({ sasl, users }: Security): string[] =>
  sasl
    .filter((mechanism) => mechanism.startsWith('SCRAM'))
    .flatMap((mechanism) =>
      Object.entries(users).flatMap(([name, password]) => [
        '--add-scram',
        `${mechanism}=[name=${name},password=${password}]`,
      ]),
    )

/** What Kafka's own tools need to get in, as the first user and by the first mechanism. */
export function clientSettings(security: Security): Settings {
  const { certificates, isMutual, sasl, users } = security
  const [name, password] = Object.entries(users)[0]!
  const modules = 'org.apache.kafka.common.security'
  const credentials = `required username="${name}" password="${password}";`
  const jaas = {
    PLAIN: `${modules}.plain.PlainLoginModule ${credentials}`,
    'SCRAM-SHA-256': `${modules}.scram.ScramLoginModule ${credentials}`,
    'SCRAM-SHA-512': `${modules}.scram.ScramLoginModule ${credentials}`,
    OAUTHBEARER: `${modules}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="${name}";`,
  }
  return {
    'security.protocol': protocolOf(security),
    ...(certificates && {
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.location': certificates.brokerCertificate,
      ...(isMutual && {
        'ssl.keystore.type': 'PKCS12',
        'ssl.keystore.location': certificates.clientStore,
        'ssl.keystore.password': storePassword,
        'ssl.key.password': storePassword,
      }),
    }),
    ...(sasl.length > 0 && { 'sasl.mechanism': sasl[0]!, 'sasl.jaas.config': jaas[sasl[0]!] }),
  }
}

export const asProperties = (settings: Settings): string =>
  Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')

/** A token as OAUTHBEARER wants it, signed by nobody: Kafka's default validator takes it, for tests. */
export function unsecuredToken(user: string, lifetimeSeconds = 3600): string {
  const nowSeconds = Math.floor(Date.now() / 1000)
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { sub: user, iat: nowSeconds, exp: nowSeconds + lifetimeSeconds }
  return `${part({ alg: 'none' })}.${part(claims)}.`
}
