import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const program = join(import.meta.dirname, 'support', 'stopping-app.ts')

/** Runs the app until it is ready, asks it to stop unless it breaks by itself, and tells how it ended. */
async function stopped(how: string, env: NodeJS.ProcessEnv = {}): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, [program], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, BOOTSTRAP_PARENT_PID: '', STOPS: how, ...env },
  })
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += String(chunk)
    if (how !== 'breaks' && said.includes('is ready') && !child.killed) child.kill('SIGTERM')
  })
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { code, said }
}

test('an app that is asked to stop says what became of its work, and ends with 0', async () => {
  const { code, said } = await stopped('well')
  expect(said).toMatch(/ingest is stopping \(SIGTERM\)\ningest has stopped after \d+\.\d s: everything was put away\n$/)
  expect(code).toBe(0)
})

test('one that does not come to its end is left in time, and ends with 1', async () => {
  const { code, said } = await stopped('hangs', { SHUTDOWN_TIMEOUT_SECONDS: '1' })
  expect(said).toMatch(/has not come to its end within 1 s \(SHUTDOWN_TIMEOUT_SECONDS\)/)
  expect(code).toBe(1)
})

test('what goes wrong while it stops is said, and the end is no success', async () => {
  const { code, said } = await stopped('fails')
  expect(said).toMatch(/has stopped, but not all of it went well: the disk is full\n$/)
  expect(code).toBe(1)
})

test('after a mistake in the program it closes what is open, and ends with 1', async () => {
  const { code, said } = await stopped('breaks')
  expect(said).toMatch(
    /error: ingest has failed: Error: a bug[^]*ingest has stopped after .*everything was put away\n$/,
  )
  expect(code).toBe(1)
})
