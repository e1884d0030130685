import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { Pool } from '../../src/adapters/kafka/connection-pool.ts'
import { call, requests } from '../../src/adapters/kafka/wire.ts'
import { kafkaBroker } from '../../src/kafka.ts'

/** Which versions of requests are sent to brokers of other versions than those that tests can start. */
const servers = new Set<Server>()
const sockets = new Set<Socket>()

afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  await Promise.all([...servers].map((server) => new Promise((resolve) => server.close(resolve))))
})

interface Fake {
  readonly port: number
  /** Key and version of every request but the first one on each connection. */
  readonly asked: (readonly [key: number, version: number])[]
}

/** A broker that says what it can, and hangs up on whatever comes after. */
async function startFake(
  ranges: readonly (readonly [key: number, min: number, max: number])[],
  code = 0,
): Promise<Fake> {
  const asked: (readonly [number, number])[] = []
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('data', (request) => {
      const [key, version] = [request.readInt16BE(4), request.readInt16BE(6)]
      if (key !== 18) {
        asked.push([key, version])
        socket.destroy()
        return
      }
      const body = Buffer.alloc(7 + 7 * ranges.length + 5)
      request.copy(body, 0, 8, 12) // correlation id
      body.writeInt16BE(code, 4)
      body.writeUInt8(ranges.length + 1, 6)
      for (const [i, range] of ranges.entries()) {
        for (const [j, number] of range.entries()) body.writeInt16BE(number, 7 + 7 * i + 2 * j)
      }
      const size = Buffer.alloc(4)
      size.writeInt32BE(body.length)
      socket.write(Buffer.concat([size, body]))
    })
  })
  servers.add(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { port: (server.address() as { port: number }).port, asked }
}

test.each([
  ['Metadata', [3, 0, 5], 'knows versions 0 to 5 of Metadata, and this program version 12'],
  ['nothing of it', [0, 3, 12], 'does not know Metadata, and this program version 12'],
] as const)('a broker that is too old is told at once: %s', async (_name, range, text) => {
  const { port, asked } = await startFake([range])
  const broker = kafkaBroker({ bootstrapServers: `127.0.0.1:${port}` })
  const expected = {
    code: 'BROKER_REFUSED',
    retryable: false,
    message: expect.stringContaining(`the broker at 127.0.0.1:${port} ${text}: Kafka 3.5 or newer is needed`),
  }
  await expect(broker.admin.listTopics()).rejects.toMatchObject(expected)
  const reader = broker.openReader()
  reader.assign([{ topic: 't', partition: 0, offset: 0 }])
  await expect(reader.poll(2000)).rejects.toMatchObject(expected)
  await broker.close()
  expect(asked).toEqual([])
})

test('a broker that does not know how to be asked is too old', async () => {
  const { port } = await startFake([], 35)
  const broker = kafkaBroker({ bootstrapServers: `127.0.0.1:${port}` })
  await expect(broker.admin.listTopics()).rejects.toMatchObject({
    code: 'BROKER_REFUSED',
    message: expect.stringContaining('Kafka 3.5 or newer is needed'),
  })
  await broker.close()
})

const noTopics: never[] = []
test.each([
  ['Produce', 0, [9, 10, 11, 12, 13], [9, 10, 11, 11, 11]],
  ['Fetch', 1, [15, 16, 17, 18], [15, 16, 17, 17]],
  ['ListOffsets', 2, [7, 8, 9, 11], [7, 8, 9, 9]],
  ['OffsetFetch', 9, [8, 9, 10], [8, 9, 9]],
  ['FindCoordinator', 10, [4, 5, 6, 7], [4, 5, 6, 6]],
  ['InitProducerId', 22, [4, 5, 6], [4, 5, 5]],
] as const)('%s goes out in the newest version that both sides know', async (name, key, offered, expected) => {
  for (const [i, newest] of offered.entries()) {
    const { port, asked } = await startFake([[key, 0, newest]])
    const pool = new Pool('test', {}, 5000)
    const connection = await pool.get({ host: '127.0.0.1', port })
    const sent = {
      Produce: () => call(connection, requests.produce, null, 1000, new Map()),
      Fetch: () => call(connection, requests.fetch, 1, 1, 1, 0, 0, -1, noTopics, noTopics, ''),
      ListOffsets: () => call(connection, requests.listOffsets, -1, 0, noTopics),
      OffsetFetch: () => call(connection, requests.offsetFetch, [], true),
      FindCoordinator: () => call(connection, requests.findCoordinator, 0, ['g']),
      InitProducerId: () => call(connection, requests.initProducerId, null, 1000, -1n, -1),
    }[name]()
    await expect(sent).rejects.toThrow('Connection closed')
    expect(asked).toEqual([[key, expected[i]]])
    await pool.close()
  }
})
