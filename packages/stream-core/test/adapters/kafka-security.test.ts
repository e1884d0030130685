import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LocalKafka, startLocalKafka, unsecuredToken } from '../../../../scripts/local-kafka.ts'
import { Pool } from '../../src/adapters/kafka/connection-pool.ts'
import { call, requests } from '../../src/adapters/kafka/wire.ts'
import type { Broker, Logger } from '../../src/index.ts'
import { kafkaBroker, type KafkaBrokerOptions, type KafkaSasl } from '../../src/kafka.ts'
import { memberOptions, useEverything } from './use-broker.ts'

/** Brokers that demand TLS, certificates, passwords and tokens, and what is said to those who come without. */
const user = { username: 'alice', password: 'alice-secret' } as const
let kafka: LocalKafka
let counter = 0

const topicName = (): string => `security-${counter++}`

function open(options: Partial<KafkaBrokerOptions>): Broker {
  return kafkaBroker({ bootstrapServers: kafka.bootstrapServers, ...options })
}

/** What an administrator, a reader, a producer and a member are told; each soon, and none of them for ever. */
async function refusalsOf(options: Partial<KafkaBrokerOptions>): Promise<Record<string, unknown>> {
  const startedMs = Date.now()
  const broker = open(options)
  const topic = topicName()
  const reader = broker.openReader()
  reader.assign([{ topic, partition: 0, offset: 0 }])
  const reading = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) await reader.poll(500)
  }
  const plain = await broker.openProducer()
  plain.append(topic, 0, null, 'never', Date.now())
  const calls = {
    admin: broker.admin.listTopics(),
    reader: reading(),
    producer: plain.flush(),
    transaction: broker.openProducer({ transactionalId: topic }),
    member: broker.openGroupMember(memberOptions(topic, topic)).join(),
  }
  const told = Object.entries(calls).map(async ([name, call]) => {
    const refusal = await call.then(
      () => 'was let in',
      (error: unknown) => error,
    )
    return [name, refusal] as const
  })
  const refusals = Object.fromEntries(await Promise.all(told))
  await broker.close()
  expect(Date.now() - startedMs).toBeLessThan(10_000)
  return refusals
}

async function expectRefusal(options: Partial<KafkaBrokerOptions>, option: string, text: string): Promise<void> {
  const refusals = await refusalsOf(options)
  const expected = { name: 'ConfigError', code: 'INVALID_CONFIG', option, message: expect.stringContaining(text) }
  for (const name of ['admin', 'reader', 'transaction', 'member']) {
    expect(refusals[name], name).toMatchObject(expected)
  }
  // Whoever writes has to know whether it is in the log.
  expect(refusals['producer']).toMatchObject({
    code: 'BROKER_REFUSED',
    written: 'no',
    retryable: false,
    cause: expected,
    message: expect.stringContaining(text),
  })
}

/** What was logged of requests that did not go well. */
function listen(): { readonly logger: Logger; readonly failures: string[] } {
  const failures: string[] = []
  const note = (fields: object, message: string): void => void failures.push(`${message} ${JSON.stringify(fields)}`)
  return { failures, logger: { debug: note, info: () => undefined, warn: note, error: note } }
}

async function writeFor(ms: number, broker: Broker): Promise<number> {
  const topic = topicName()
  await broker.admin.createTopics([{ topic, partitions: 2 }])
  const producer = await broker.openProducer()
  const reader = broker.openReader()
  reader.assign([{ topic, partition: 0, offset: 0 }])
  let [written, read] = [0, 0]
  const reading = async (): Promise<void> => {
    while (read < written || written === 0 || Date.now() < endMs) {
      for (const { records } of await reader.poll(100)) while (records.next()) read++
    }
  }
  const endMs = Date.now() + ms
  const done = reading()
  while (Date.now() < endMs) {
    producer.append(topic, 0, null, String(written++), Date.now())
    await producer.flush()
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await done
  return read - written
}

describe('brokers with TLS and SASL', () => {
  beforeAll(async () => {
    kafka = await startLocalKafka({
      tls: true,
      sasl: ['PLAIN', 'SCRAM-SHA-256', 'OAUTHBEARER'],
      properties: {
        'listener.name.client.scram-sha-256.connections.max.reauth.ms': '2000',
        'listener.name.client.oauthbearer.connections.max.reauth.ms': '3600000',
      },
    })
  })
  afterAll(() => kafka.stop())

  const tls = (): { ca: string } => ({ ca: kafka.tls!.ca })

  const ways: readonly KafkaSasl[] = [
    { mechanism: 'PLAIN', ...user },
    { mechanism: 'SCRAM-SHA-256', ...user },
    { mechanism: 'OAUTHBEARER', token: unsecuredToken('alice') },
    { mechanism: 'OAUTHBEARER', token: () => unsecuredToken('alice') },
    { mechanism: 'OAUTHBEARER', token: () => Promise.resolve(unsecuredToken('alice')), extensions: { traceId: '123' } },
  ]
  test.each(ways)('$mechanism lets everything through: $token', async (sasl) => {
    const broker = open({ tls: tls(), sasl })
    expect(await useEverything(broker, topicName())).toEqual(['one', 'two'])
    await broker.close()
  })

  test('a wrong password is told at once, by its option', async () => {
    for (const mechanism of ['PLAIN', 'SCRAM-SHA-256'] as const) {
      const sasl = { mechanism, username: 'alice', password: 'wrong' }
      await expectRefusal({ tls: tls(), sasl }, 'sasl.password', 'does not let the user "alice" with this password in')
    }
    await expectRefusal(
      { tls: tls(), sasl: { mechanism: 'SCRAM-SHA-256', username: 'nobody', password: 'x' } },
      'sasl.password',
      'does not let the user "nobody"',
    )
  })

  test('a mechanism that the broker does not take is told, with those it takes', async () => {
    const sasl = { mechanism: 'SCRAM-SHA-512', ...user } as const
    await expectRefusal({ tls: tls(), sasl }, 'sasl.mechanism', 'does not take SCRAM-SHA-512, but ')
    await expectRefusal({ tls: tls() }, 'sasl', 'asks who we are: give the option, with the mechanism ')
  })

  test('a token that the broker does not take is told, and so is a function that gives none', async () => {
    const expired = unsecuredToken('alice', -60)
    for (const token of [expired, 'nonsense', () => expired]) {
      await expectRefusal({ tls: tls(), sasl: { mechanism: 'OAUTHBEARER', token } }, 'sasl.token', 'the token')
    }
    const none = (() => undefined) as unknown as () => string
    await expectRefusal({ tls: tls(), sasl: { mechanism: 'OAUTHBEARER', token: none } }, 'sasl.token', 'gave none')
  })

  test('a function that fails to give a token is asked again', async () => {
    let calls = 0
    const token = (): Promise<string> =>
      ++calls <= 3 ? Promise.reject(new Error('the token service is away')) : Promise.resolve(unsecuredToken('alice'))
    const broker = open({ tls: tls(), sasl: { mechanism: 'OAUTHBEARER', token } })
    expect(await broker.admin.clusterId()).not.toBe('')
    expect(calls).toBeGreaterThan(3)
    await broker.close()
  })

  test('a session that ends is renewed before it does, and nothing fails meanwhile', async () => {
    const { logger, failures } = listen()
    const broker = open({ tls: tls(), sasl: { mechanism: 'SCRAM-SHA-256', ...user }, logger })
    expect(await writeFor(7000, broker)).toBe(0)
    await broker.close()
    expect(failures).toEqual([])
  })

  test('a request that comes while a session is being renewed waits for it', async () => {
    const pool = new Pool('test', { tls: tls(), sasl: { mechanism: 'SCRAM-SHA-256', ...user } }, 10_000)
    const [host, port] = kafka.bootstrapServers.split(':')
    const connection = await pool.get({ host: host!, port: Number(port) })
    for (let i = 0; i < 3; i++) {
      await new Promise((resolve) => setTimeout(resolve, 1100)) // a broker takes it once a second
      connection.reauthenticate()
      const answer = await call(connection, requests.metadata, [], false, false)
      expect(answer.brokers).toHaveLength(1)
    }
    await pool.close()
  })

  test('a token that expires is replaced before it does', async () => {
    const { logger, failures } = listen()
    let calls = 0
    const token = (): string => {
      calls++
      return unsecuredToken('alice', 3)
    }
    const broker = open({ tls: tls(), sasl: { mechanism: 'OAUTHBEARER', token }, logger })
    expect(await writeFor(6000, broker)).toBe(0)
    await broker.close()
    expect(failures).toEqual([])
    expect(calls).toBeGreaterThan(6)
  })

  test('a certificate that nothing vouches for, or of another name, is told', async () => {
    const sasl = ways[0]!
    await expectRefusal({ tls: {}, sasl }, 'tls', 'give what vouches for it as tls.ca')
    await expectRefusal({ tls: { ...tls(), servername: 'kafka.example' }, sasl }, 'tls', 'as tls.servername')
  })

  test('who comes without TLS is told, and who brings what is not asked for', async () => {
    const sasl = ways[0]!
    const inside = { bootstrapServers: kafka.nodes[0]!.internalAddress }
    await expectRefusal({ sasl }, 'tls', 'wants TLS')
    await expectRefusal({}, 'tls', 'wants TLS')
    await expectRefusal({ ...inside, sasl }, 'sasl', 'asks nobody who he is: leave the option out')
    await expectRefusal({ ...inside, tls: tls() }, 'tls', 'does not speak TLS on this port')
    await expectRefusal({ ...inside, tls: tls(), sasl }, 'tls', 'does not speak TLS on this port')
  })
})

describe('a broker with SASL and without TLS', () => {
  beforeAll(async () => {
    kafka = await startLocalKafka({ sasl: ['SCRAM-SHA-512'] })
  })
  afterAll(() => kafka.stop())

  test('SCRAM-SHA-512 lets everything through', async () => {
    const broker = open({ sasl: { mechanism: 'SCRAM-SHA-512', ...user } })
    expect(await useEverything(broker, topicName())).toEqual(['one', 'two'])
    await broker.close()
  })

  test('who does not say who he is, or brings TLS, is told', async () => {
    await expectRefusal({}, 'sasl', 'with the mechanism SCRAM-SHA-512')
    await expectRefusal({ sasl: { mechanism: 'PLAIN', ...user } }, 'sasl.mechanism', 'but SCRAM-SHA-512')
    await expectRefusal({ tls: {}, sasl: { mechanism: 'SCRAM-SHA-512', ...user } }, 'tls', 'does not speak TLS')
  })
})

describe('a broker that wants certificates', () => {
  beforeAll(async () => {
    kafka = await startLocalKafka({ tls: 'mutual' })
  })
  afterAll(() => kafka.stop())

  test('a certificate that it knows lets everything through', async () => {
    const broker = open({ tls: { ...kafka.tls! } })
    expect(await useEverything(broker, topicName())).toEqual(['one', 'two'])
    await broker.close()
  })

  test('none, or an older protocol that may not say so, is told', async () => {
    await expectRefusal({ tls: { ca: kafka.tls!.ca } }, 'tls', 'it may want a certificate of ours')
    await expectRefusal({ tls: { ca: kafka.tls!.ca, maxVersion: 'TLSv1.2' } }, 'tls', 'it may want a certificate')
  })
})
