/**
 * The composed system, really run: `npm run compose:test`. Ends with a line about every ballot that was acknowledged.
 *
 *   1. An engine (one of our own, as root, where none runs), base images (stand-ins where the public ones cannot be
 *      pulled), and the image of the apps.
 *   2. The core comes up; the browser test of an election runs against it.
 *   3. In production mode and with all profiles: voters vote, while one container after the other is killed, and one is
 *      stopped. All apps stay alive meanwhile; what was killed comes back by itself. Prometheus hears everybody, and has
 *      values for the dashboards.
 *   4. Every acknowledged ballot is looked for: in the totals, by its receipt, and in a recount from the log.
 *   5. A backup is made while votes come in; the system goes with its volumes, and is restored into new ones. The same with
 *      a copy of the volumes of the stopped system. Each time all is reconciled as before.
 *   6. All of it is removed, however it went.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromiumPath } from './chromium.ts'
import { backupDrill } from './compose/backup-drill.ts'
import { checkPrometheus } from './compose/check-prometheus.ts'
import { coldCopyDrill } from './compose/cold-copy-drill.ts'
import { ask, createPoll, Electorate } from './compose/electorate.ts'
import { runCommand } from './compose/command.ts'
import { readComposeFile } from './compose/compose-file.ts'
import { ComposedSystem } from './compose/composed-system.ts'
import { type Engine, openEngine } from './compose/engine.ts'
import { LivenessWatch } from './compose/liveness-watch.ts'
import { reconcile, reconciliationLine, type Reconciliation } from './compose/reconcile.ts'
import { provideImages } from './compose/stand-ins.ts'
import { until } from './compose/until.ts'

const root = join(import.meta.dirname, '..')
/** Of the run, once engine and images are there: these may have to be made first, and are kept. */
const deadlineMs = 900_000
const version = 'test'
const votersAtOnce = 12
const startedMs = Date.now()

const log = (text: string): void => {
  process.stderr.write(`[${((Date.now() - startedMs) / 1000).toFixed(1).padStart(6)} s] ${text}\n`)
}

/** Rejected when it has to end before its time. */
const stop = Promise.withResolvers<never>()
stop.promise.catch(() => undefined)

/** Undone at the end, last first. */
const cleanups: (() => Promise<unknown>)[] = []

async function main(): Promise<Reconciliation> {
  const engine = await openEngine(log)
  cleanups.push(() => engine.stop())
  const images = await provide(engine)
  setTimeout(() => stop.reject(new Error(`not done within ${deadlineMs / 1000} s`)), deadlineMs).unref()
  const system = await ComposedSystem.create(engine, version)
  cleanups.push(() => system.remove())

  log('2. the core comes up')
  await system.up([], [], { NODE_ENV: 'development' })
  log('it is up: the browser test')
  const organiserToken = await system.secret('ingest', '/secrets/organiser/token')
  await browserTest(system, organiserToken)

  log('3. production, with a second tally, a second viewer, the proxy, Prometheus and a load')
  const production = { NODE_ENV: 'production', BALLOTS_PER_SECOND: '5', READERS: '20' }
  const { services } = readComposeFile()
  // Where an image is not to be had (Grafana's has no stand-in) its service is left out.
  const isThere = (image: string): boolean => image.startsWith('voting-system:') || images.includes(image)
  const there = Object.keys(services).filter((name) => isThere(services[name]!.image!))
  await system.up(['scale', 'load', 'obs'], there, production)
  const { poll, codes } = await createPoll(system.ingest, organiserToken, 20_000)
  const watch = await LivenessWatch.of(system, ['ingest', 'tally', 'tally-2', 'viewer', 'viewer-2'])
  const electorate = new Electorate(system.ingest, poll, codes, votersAtOnce)
  for (const service of ['tally', 'kafka', 'postgres', 'ingest', 'viewer']) {
    await underLoad(electorate)
    await crash(system, service, watch)
  }
  await underLoad(electorate)
  await stopGracefully(system, 'tally-2', watch)
  await underLoad(electorate)
  log(await checkPrometheus(system.prometheus))
  await electorate.close()
  log(`/livez was asked ${await watch.stop()} times, and was 200 each time`)
  const interrupted = electorate.ballots.filter(({ failures }) => failures > 0).length
  log(`${electorate.acknowledged} ballots are acknowledged, ${interrupted} of them after a form was sent again`)

  log('4. reconciliation')
  // What is looked at from here on is the end of it.
  await system.compose(['--profile', 'load', 'stop', 'load'])
  await until(`all ${electorate.acknowledged} are counted`, async () => {
    const { voters } = await ask<{ voters: number }>(`${system.viewer}/api/polls/${poll.id}/results`)
    return voters >= electorate.acknowledged
  })
  const found = await reconcile(system, poll, electorate.ballots)
  const viaProxy = await ask<{ voters: number }>(`${system.proxy}/api/polls/${poll.id}/results`)
  const recount = (await system.compose(['exec', '-T', 'tally', 'node', 'apps/tally/src/recount-main.ts'])).trim()
  log(recount)
  log('5. backups')
  const folder = mkdtempSync(join(tmpdir(), 'compose-drill-'))
  chmodSync(folder, 0o777) // a backup is made by the user 1000, and is then that user's
  cleanups.push(async () => {
    await system.runAsRoot({ [folder]: '/drill' }, ['find', '/drill', '-mindepth', '1', '-delete'])
    rmSync(folder, { recursive: true })
  })
  const drill = { system, poll, electorate, env: production, folder, log }
  electorate.open()
  await underLoad(electorate)
  const restored = await backupDrill(drill)
  log(reconciliationLine(restored))
  const copied = await coldCopyDrill(drill)
  log(reconciliationLine(copied))
  return {
    ...copied,
    differences: [
      ...found.differences,
      ...restored.differences,
      ...copied.differences,
      ...(viaProxy.voters === found.acknowledged ? [] : [`the proxy shows ${viaProxy.voters} voters`]),
      ...(/^recount: equal$/m.test(recount) ? [] : [`the recount says: ${recount}`]),
    ],
  }
}

/** 1. Resolves with the images that are there. */
async function provide(engine: Engine): Promise<readonly string[]> {
  const base = `node:${process.versions.node}-bookworm-slim`
  const all = Object.values(readComposeFile().services).map(({ image }) => image!)
  const others = new Set(all.filter((image) => !image.startsWith('voting-system:')))
  const { provided, made } = await provideImages(engine, [base, ...others], log)
  const tag = `voting-system:${version}`
  // In an engine of somebody else's nobody should take them for the public ones.
  if (!engine.isOurs) cleanups.push(() => engine.docker(['image', 'rm', '--force', tag, ...made]))
  log('building the image of the apps')
  const recipe = join(root, 'compose', 'Dockerfile')
  await engine.docker(['build', '--quiet', '--network', 'host', '--tag', tag, '--file', recipe, root])
  const sizeOf = async (image: string): Promise<number> =>
    Number(await engine.docker(['image', 'inspect', '--format', '{{.Size}}', image]))
  const size = await sizeOf(tag)
  log(`it is ${megabytes(size)}, ${megabytes(size - (await sizeOf(base)))} on top of Node's image`)
  return provided
}

/** 2. The same test as `npm test` runs against `npm start`. */
async function browserTest(system: ComposedSystem, organiserToken: string): Promise<void> {
  if (!chromiumPath()) {
    log('no Chromium is found: the browser test is left out')
    return
  }
  const ready = { ready: true, ingest: system.ingest, viewer: system.viewer, organiserToken, ops: {} }
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const output = await runCommand([process.execPath, vitest, 'run', '--project', 'e2e', 'e2e/election.test.ts'], {
    cwd: root,
    env: { ...process.env, COMPOSED_SYSTEM: JSON.stringify(ready), NO_COLOR: '1' },
    timeoutMs: 180_000,
  })
  log(`browser test: ${/Tests +(.*)/.exec(output)?.[1] ?? 'passed'}`)
}

/** 3. Some ballots more than before. */
async function underLoad(electorate: Electorate): Promise<void> {
  const before = electorate.acknowledged
  await until('ballots are acknowledged', () => Promise.resolve(electorate.acknowledged >= before + 150))
}

async function crash(system: ComposedSystem, service: string, watch: LivenessWatch): Promise<void> {
  watch.excuse(service)
  const restartsBefore = Number(await system.inspect(service, '{{.RestartCount}}'))
  const crashedMs = Date.now()
  await system.crash(service)
  await until(`${service} is started again`, async () => {
    const [count, status] = (await system.inspect(service, '{{.RestartCount}} {{.State.Status}}')).split(' ')
    return status === 'running' && Number(count) > restartsBefore
  })
  await system.untilHealthy(service)
  log(`${service} was killed, and is back and healthy after ${((Date.now() - crashedMs) / 1000).toFixed(1)} s`)
  if (service !== 'kafka' && service !== 'postgres') await watch.expectAgain(service, system)
}

async function stopGracefully(system: ComposedSystem, service: string, watch: LivenessWatch): Promise<void> {
  watch.excuse(service)
  await system.compose(['--profile', 'scale', 'stop', service])
  const code = await system.inspect(service, '{{.State.ExitCode}}')
  const said = (await system.compose(['--profile', 'scale', 'logs', '--no-color', '--tail', '3', service])).trim()
  if (code !== '0') throw new Error(`${service} was stopped and ended with ${code}:\n${said}`)
  log(`${service} was stopped and ended with 0; its last words:\n${said}`)
  await system.compose(['--profile', 'scale', 'start', service])
  await system.untilHealthy(service)
  await watch.expectAgain(service, system)
}

const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`

/** 6. Everything is tried, whatever fails. */
async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) {
    await cleanup().catch((error: unknown) => {
      log(`while cleaning up: ${String(error)}`)
      process.exitCode = 1
    })
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => stop.reject(new Error(`stopped by ${signal}`)))
}

let lastLine: string
try {
  const reconciliation = await Promise.race([main(), stop.promise])
  lastLine = reconciliationLine(reconciliation)
  if (reconciliation.differences.length > 0) process.exitCode = 1
} catch (error) {
  lastLine = `compose:test: FAILED: ${(error as Error).message}`
  process.exitCode = 1
}
log('6. cleaning up')
await cleanUp()
process.stdout.write(`${lastLine}\n`)
process.exit()
