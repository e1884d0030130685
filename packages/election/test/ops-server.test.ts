import { Registry } from 'prom-client'
import { afterEach, expect, test } from 'vitest'
import { openOpsServer } from '../src/ops-server.ts'

let close: () => Promise<void> = () => Promise.resolve()
afterEach(() => close())

async function open(readiness: () => string | null, startup?: () => object) {
  const server = await openOpsServer({
    host: '127.0.0.1',
    port: 0,
    registry: new Registry(),
    readiness,
    ...(startup && { startup }),
  })
  close = () => server.close()
  return async (path: string): Promise<[number, string]> => {
    const answer = await fetch(`${server.url}${path}`)
    return [answer.status, (await answer.text()).trim()]
  }
}

test('it lives whether or not it is ready', async () => {
  const get = await open(() => 'restoring')
  expect(await get('/readyz')).toEqual([503, 'restoring'])
  expect(await get('/livez')).toEqual([200, 'live'])
})

test('a start tells what is left to do until it is done, and is not undone by an outage', async () => {
  let reason: string | null = 'restoring'
  const get = await open(
    () => reason,
    () => ({ recordsLeft: 7 }),
  )
  expect(await get('/startupz')).toEqual([503, '{"started":false,"reason":"restoring","recordsLeft":7}'])
  reason = null
  expect(await get('/startupz')).toEqual([200, '{"started":true,"recordsLeft":7}'])
  reason = 'the log does not answer'
  expect(await get('/readyz')).toEqual([503, 'the log does not answer'])
  expect((await get('/startupz'))[0]).toBe(200)
})

test('a question about readiness that fails is an answer, not the end', async () => {
  const get = await open(() => {
    throw new Error('no pool')
  })
  expect(await get('/readyz')).toEqual([503, 'Error: no pool'])
  expect(await get('/startupz')).toEqual([503, '{"started":false,"reason":"Error: no pool"}'])
})
