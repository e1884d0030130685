import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type LocalKafka, runJava, startLocalKafka } from '../../../../scripts/local-kafka.ts'
import type { Broker } from '../../src/index.ts'
import { kafkaBroker } from '../../src/kafka.ts'
import { memberOptions, useEverything } from './use-broker.ts'

/** Who may not do something is told so at once, with what; nothing waits for rights to come. */
let kafka: LocalKafka
let alice: Broker
let bob: Broker

const as = (username: string): Broker =>
  kafkaBroker({
    bootstrapServers: kafka.bootstrapServers,
    sasl: { mechanism: 'PLAIN', username, password: `${username}-secret` },
  })

beforeAll(async () => {
  kafka = await startLocalKafka({
    sasl: ['PLAIN'],
    users: { alice: 'alice-secret', bob: 'bob-secret', carol: 'carol-secret' },
    properties: {
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': 'User:ANONYMOUS;User:alice',
    },
  })
  alice = as('alice')
  await alice.admin.createTopics(['open', 'read-only', 'closed'].map((topic) => ({ topic, partitions: 1 })))
  const producer = await alice.openProducer()
  producer.append('read-only', 0, null, 'v', Date.now())
  await producer.flush()
  await grant('--operation', 'Read', '--operation', 'Write', '--topic', 'open')
  await grant('--operation', 'Read', '--topic', 'read-only')
  await grant('--operation', 'Write', '--transactional-id', 'bobs')
  bob = as('bob')
})
afterAll(async () => {
  await alice.close()
  await kafka.stop()
})
afterEach(async () => {
  await bob.close()
  bob = as('bob')
})

async function grant(...rights: string[]): Promise<void> {
  const who = ['--bootstrap-server', kafka.nodes[0]!.internalAddress, '--add', '--allow-principal', 'User:bob']
  const child = runJava('org.apache.kafka.tools.AclCommand', ...who, ...rights)
  let output = ''
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk) => (output += String(chunk)))
  const code = await new Promise((resolve) => child.on('close', resolve))
  if (code !== 0) throw new Error(output)
}

const refusal = (code: string, what: string) => ({
  code: 'BROKER_REFUSED',
  retryable: false,
  message: expect.stringMatching(new RegExp(`${what}.*the broker answered ${code}`)),
})

/** Well below what a cluster that is away would be waited for. */
async function soon<T>(call: Promise<T>): Promise<T> {
  const startedMs = Date.now()
  try {
    return await call
  } finally {
    expect(Date.now() - startedMs).toBeLessThan(3000)
  }
}

test('a topic that may not be seen is not taken for one that does not exist', async () => {
  const expected = refusal('topicAuthorizationFailed \\(29\\)', 'closed')
  await expect(soon(bob.admin.describeTopics(['closed']))).rejects.toMatchObject(expected)
  await expect(soon(bob.admin.listOffsets([{ topic: 'closed', partition: 0 }], 'latest'))).rejects.toMatchObject(
    expected,
  )
  await expect(soon(bob.admin.createTopics([{ topic: 'closed', partitions: 1 }]))).rejects.toMatchObject(expected)
  expect((await bob.admin.describeTopics(['read-only'])).size).toBe(1)
})

test('a topic is not read without the right to', async () => {
  const reader = bob.openReader()
  reader.assign([{ topic: 'closed', partition: 0, offset: 0 }])
  await expect(soon(reader.poll(10_000))).rejects.toMatchObject(refusal('topicAuthorizationFailed \\(29\\)', 'closed'))
  reader.assign([{ topic: 'read-only', partition: 0, offset: 0 }])
  await expect.poll(async () => (await reader.poll(1000)).length, { timeout: 5000 }).toBe(1)
  await reader.close()
})

test('a topic is not written without the right to, and others are', async () => {
  const producer = await bob.openProducer()
  for (const topic of ['closed', 'read-only']) {
    producer.append(topic, 0, null, 'never', Date.now())
    const told: unknown[] = []
    producer.append('open', 0, null, 'v', Date.now(), [], (error) => told.push(error))
    await expect(soon(producer.flush())).rejects.toMatchObject({
      ...refusal('topicAuthorizationFailed \\(29\\)', topic),
      written: 'no',
    })
    expect(told).toEqual([null])
  }
  expect(producer.nextOffset('open', 0)).toBe(2)
})

test('a transaction that writes where it may not can be aborted, and its producer goes on', async () => {
  await expect(soon(bob.openProducer({ transactionalId: 'alices' }))).rejects.toMatchObject(
    refusal('transactionalIdAuthorizationFailed \\(53\\)', 'alices'),
  )
  const producer = await bob.openProducer({ transactionalId: 'bobs' })
  for (const topic of ['closed', 'read-only']) {
    producer.append('open', 0, null, 'given up', Date.now())
    producer.append(topic, 0, null, 'never', Date.now())
    await expect(soon(producer.commit())).rejects.toMatchObject(refusal('topicAuthorizationFailed \\(29\\)', topic))
    await soon(producer.abort())
  }
  producer.append('open', 0, null, 'committed', Date.now())
  await producer.commit()
  const offsets = [{ topic: 'open', partition: 0, offset: 1, metadata: '' }]
  await expect(soon(producer.sendOffsets('alices', offsets))).rejects.toMatchObject(
    refusal('groupAuthorizationFailed \\(30\\)', 'alices'),
  )
  await soon(producer.abort())
})

test('a group is not joined, read or committed to without the right to', async () => {
  const expected = refusal('groupAuthorizationFailed \\(30\\)', 'alices')
  const offsets = [{ topic: 'open', partition: 0, offset: 1, metadata: '' }]
  await expect(soon(bob.openGroupMember(memberOptions('alices', 'open')).join())).rejects.toMatchObject({
    code: 'BROKER_REFUSED',
    retryable: false,
  })
  await expect(soon(bob.admin.committedOffsets('alices', offsets, { requireStable: true }))).rejects.toMatchObject(
    expected,
  )
  const producer = await bob.openProducer()
  await expect(soon(producer.commitOffsets('alices', offsets))).rejects.toMatchObject(expected)
})

test('with the rights to its topics, group and transactional id a program can do everything', async () => {
  const resources = ['--topic', 'mine', '--group', 'mine', '--transactional-id', 'mine']
  await grant('--operation', 'All', '--resource-pattern-type', 'prefixed', ...resources)
  expect(await useEverything(bob, 'mine')).toEqual(['one', 'two'])
})
