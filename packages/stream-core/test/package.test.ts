import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'

/** The package as its users get it: built, packed, and unpacked below a node_modules folder, where Node strips no types. */
const root = join(import.meta.dirname, '..', '..', '..')
const run = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'package-test-'))
const installed = join(folder, 'node_modules', 'stream-core')
const read = (path: string): string => readFileSync(path, 'utf8')
interface Manifest {
  readonly version: string
  readonly bin: { readonly 'stream-core': string }
  readonly exports: { readonly [entry: string]: unknown }
  readonly dependencies: { readonly [name: string]: string }
}
let manifest: Manifest

beforeAll(async () => {
  await run(process.execPath, [join(root, 'scripts', 'build-package.ts'), join(folder, 'dist')])
  await run('npm', ['pack', '--offline', '--ignore-scripts', '--pack-destination', folder], {
    cwd: join(folder, 'dist'),
  })
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))!
  mkdirSync(installed, { recursive: true })
  await run('tar', ['-xzf', join(folder, tarball), '-C', installed, '--strip-components', '1'])
  manifest = JSON.parse(read(join(installed, 'package.json'))) as Manifest
  // What npm would fetch is taken from here.
  for (const name of [...Object.keys(manifest.dependencies), '@types/node']) {
    const from = name === '@types/node' ? root : join(root, 'packages', 'stream-core')
    const link = join(folder, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(join(from, 'node_modules', name), link)
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'user', private: true, type: 'module' }))
}, 120_000)
afterAll(() => rmSync(folder, { recursive: true }))

const program = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

test('it names its version, what it needs in exact versions, and brings no sources or tests', () => {
  expect(manifest.version).toMatch(/^\d+\.\d+\.\d+/)
  for (const version of Object.values(manifest.dependencies)) expect(version).toMatch(/^\d+\.\d+\.\d+$/)
  expect(Object.keys(manifest)).toEqual([
    'name',
    'version',
    'description',
    'license',
    'type',
    'engines',
    'files',
    'bin',
    'exports',
    'dependencies',
  ])
  expect(readdirSync(installed).sort()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'lib', 'package.json'])
  const files = readdirSync(join(installed, 'lib'), { recursive: true, encoding: 'utf8' })
  expect(files.filter((name) => /(?<!\.d)\.ts$/.test(name))).toEqual([])
})

test('every entry can be imported by plain Node, and has what the workspace has', async () => {
  const workspace = JSON.parse(read(join(root, 'packages', 'stream-core', 'package.json'))) as Manifest
  const entries = Object.keys(workspace.exports)
  expect(Object.keys(manifest.exports)).toEqual([...entries, './package.json'])
  const names = entries.map((entry) => entry.replace('.', 'stream-core'))
  const path = program(
    'import-all.mjs',
    `const found = {}
     for (const name of ${JSON.stringify(names)}) found[name] = Object.keys(await import(name)).sort()
     console.log(JSON.stringify(found))`,
  )
  const found = JSON.parse((await run(process.execPath, ['--no-strip-types', path], { cwd: folder })).stdout) as object
  const expected = await Promise.all(
    names.map(async (name) => [name, Object.keys((await import(name)) as object).sort()]),
  )
  expect(found).toEqual(Object.fromEntries(expected))
})

test('a program counts words with it on a log in a file, and its store is served by HTTP', async () => {
  const path = program(
    'count.mjs',
    `import { createServer } from 'node:http'
     import { int64, Streams, StreamsBuilder, string } from 'stream-core'
     import { openEmbeddedLog } from 'stream-core/embedded'
     import { queryRouter } from 'stream-core/queries'
     const broker = await openEmbeddedLog({ path: 'log.db' })
     await broker.admin.createTopics([{ topic: 'words', partitions: 1 }])
     const builder = new StreamsBuilder()
     builder.stream('words', { key: string(), value: string() }).groupBy((_k, word) => word, { key: string() }).count({ store: { name: 'counts' } })
     const server = createServer()
     await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
     const endpoint = '127.0.0.1:' + server.address().port
     const streams = new Streams({ topology: builder.build(), applicationId: 'app', broker, stateDir: 'state', endpoint, commitIntervalMs: 5 })
     server.on('request', queryRouter(streams, { stores: { counts: {} } }))
     await streams.start()
     const producer = await broker.openProducer()
     for (const word of ['a', 'b', 'a']) producer.append('words', 0, null, Buffer.from(word), 1)
     await producer.flush()
     const counts = streams.store('counts', { kind: 'keyValue', key: string(), value: int64() })
     while (counts.get('a') !== 2) await new Promise((resolve) => setTimeout(resolve, 5))
     const answer = await fetch('http://' + endpoint + '/stores/counts/keys/a')
     console.log(answer.status, await answer.text())
     server.close()
     await producer.close()
     await streams.close()
     await broker.close()`,
  )
  const { stdout } = await run(process.execPath, [path], { cwd: folder, timeout: 30_000 })
  expect(stdout).toMatch(/^200 .*2/)
})

test('its command runs, and describes a topology of its user’s', async () => {
  const bin = join(folder, 'node_modules', '.bin')
  mkdirSync(bin)
  symlinkSync(join('..', 'stream-core', manifest.bin['stream-core']), join(bin, 'stream-core'))
  const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env['PATH']}` }
  const help = await run(join(bin, 'stream-core'), ['--help'], { cwd: folder, env })
  expect(help.stdout).toContain('Exit codes')
  const path = program(
    'topology.ts',
    `import { StreamsBuilder, string, type Topology } from 'stream-core'
     export function topology(): Topology {
       const builder = new StreamsBuilder({ defaults: { key: string(), value: string() } })
       builder.stream<string, string>('in').to('out')
       return builder.build()
     }`,
  )
  const described = await run(join(bin, 'stream-core'), ['describe', path], { cwd: folder, env })
  expect(described.stdout).toContain('Source: KSTREAM-SOURCE-0000000000 (topics: [in])')
})

test('a program in TypeScript is checked against its declarations, without those of what it depends on', async () => {
  program(
    'checked.ts',
    `import { int64, type KTable, Streams, StreamsBuilder, string } from 'stream-core'
     import { openEmbeddedLog } from 'stream-core/embedded'
     import { kafkaBroker } from 'stream-core/kafka'
     import { metricsText } from 'stream-core/metrics'
     import { queryRouter } from 'stream-core/queries'
     import { TopologyTestDriver } from 'stream-core/testing'
     const builder = new StreamsBuilder()
     const counts: KTable<string, number> = builder
       .stream('in', { key: string(), value: string() })
       .groupByKey()
       .count()
     counts.toStream().to('out', { value: int64() })
     // @ts-expect-error a count is no text
     counts.toStream().to('out', { value: string() })
     const topology = builder.build()
     new TopologyTestDriver(topology).close()
     const broker = process.argv[2] ? kafkaBroker({ bootstrapServers: process.argv[2] }) : await openEmbeddedLog({ path: 'x' })
     const streams = new Streams({ topology, applicationId: 'a', broker, uncaughtErrorHandler: () => 'replace-thread' })
     queryRouter(streams, { stores: {} })
     console.log(metricsText(streams))`,
  )
  const compilerOptions = {
    target: 'es2024',
    lib: ['es2024'],
    module: 'nodenext',
    strict: true,
    noEmit: true,
    types: ['node'],
    skipLibCheck: false,
  }
  program('tsconfig.json', JSON.stringify({ compilerOptions, files: ['checked.ts'] }))
  const compiler = join(root, 'node_modules', 'typescript', 'lib', 'tsc.js')
  const checked = await run(process.execPath, [compiler, '-p', folder]).catch((error: { stdout: string }) => error)
  expect(checked.stdout).toBe('')
})
