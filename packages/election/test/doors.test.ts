import { spawnSync } from 'node:child_process'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { Doors, type DoorOptions } from '../src/doors.ts'

const listenOn =
  (server: Server) =>
  (options: Partial<DoorOptions>): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(options, () => resolve())
    })

/** How many turns of the event loop it takes to accept connections that all came while it was busy. */
async function turnsToAccept(server: Server, count: number): Promise<number> {
  let accepted = 0
  server.on('connection', (socket) => {
    accepted++
    socket.on('error', () => undefined)
  })
  const { port } = server.address() as AddressInfo
  const client = `
    const { connect } = require('node:net')
    let left = ${count}
    for (let i = 0; i < ${count}; i++) connect(${port}, '127.0.0.1', () => { if (--left === 0) process.exit() })`
  // The loop stands still, and the kernel takes the connections in.
  expect(spawnSync(process.execPath, ['-e', client], { timeout: 30_000 }).status).toBe(0)
  let turns = 0
  for (; accepted < count; turns++) await new Promise((resolve) => setImmediate(resolve))
  return turns
}

test.runIf(process.platform === 'linux')('many are let in within one turn of the event loop', async () => {
  const count = 160
  const [one, many] = [createServer(), createServer()]
  await listenOn(one)({ port: 0, host: '127.0.0.1' })
  const doors = await Doors.open(many, { port: 0, host: '127.0.0.1' }, listenOn(many))
  try {
    expect(await turnsToAccept(one, count)).toBeGreaterThanOrEqual(count)
    expect(await turnsToAccept(many, count)).toBeLessThan(count / 2)
  } finally {
    for (const server of [one, many]) {
      server.closeAllConnections()
      server.close()
    }
    await doors.close()
  }
})

test('requests are answered whichever door they come in by, and none is open when they are closed', async () => {
  const server = createServer((_request, response) => response.end('hello'))
  const doors = await Doors.open(server, { port: 0, host: '127.0.0.1' }, listenOn(server))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const ask = async () => (await fetch(url, { headers: { connection: 'close' } })).text()
  expect(new Set(await Promise.all(Array.from({ length: 40 }, ask)))).toEqual(new Set(['hello']))
  server.close()
  await doors.close()
  await expect(fetch(url)).rejects.toThrow()
})

test('a port that somebody listens on is refused, also where that one would share it', async () => {
  const [first, second] = [createServer(), createServer()]
  const doors = await Doors.open(first, { port: 0, host: '127.0.0.1' }, listenOn(first))
  const { port } = first.address() as AddressInfo
  try {
    await expect(Doors.open(second, { port, host: '127.0.0.1' }, listenOn(second))).rejects.toThrow('EADDRINUSE')
  } finally {
    first.close()
    await doors.close()
  }
})
