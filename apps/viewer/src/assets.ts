import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { buildSync } from 'esbuild'

export interface Asset {
  readonly body: Buffer
  readonly type: string
}

export interface Assets {
  readonly byPath: ReadonlyMap<string, Asset>
  /** Addresses by name. */
  readonly pathOf: ReadonlyMap<string, string>
}

const publicFolder = join(import.meta.dirname, '..', 'public')

const uplotFolder = join(dirname(createRequire(import.meta.url).resolve('uplot/package.json')), 'dist')

/** A page's script with all it imports, as one small file: a phone fetches it in one go. */
function bundle(entry: string, banner = ''): Buffer {
  const { outputFiles } = buildSync({
    entryPoints: [join(publicFolder, entry)],
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    banner: { js: banner },
    alias: { uplot: join(publicFolder, 'uplot.js') },
    write: false,
    logLevel: 'silent',
  })
  return Buffer.from(outputFiles[0]!.contents)
}

const readUplot = (): string => readFileSync(join(uplotFolder, 'uPlot.iife.min.js'), 'utf8')

function styles(): Buffer {
  const files = [join(uplotFolder, 'uPlot.min.css'), join(publicFolder, 'results.css')]
  return Buffer.from(files.map((file) => readFileSync(file, 'utf8')).join('\n'))
}

let loaded: Assets | null = null

/** The files a page needs, named by their content so that they may be cached for ever. Made once in a process. */
export function loadAssets(): Assets {
  if (loaded) return loaded
  const script = 'text/javascript; charset=utf-8'
  const files: [name: string, asset: Asset][] = [
    ['results.js', { body: bundle('results.js', readUplot()), type: script }],
    ['png.js', { body: bundle('png.js'), type: script }],
    ['embed.js', { body: bundle('embed.js'), type: script }],
    ['results.css', { body: styles(), type: 'text/css; charset=utf-8' }],
  ]
  const addressed = files.map(([name, asset]) => {
    const hash = createHash('sha256').update(asset.body).digest('base64url').slice(0, 12)
    return { name, asset, path: `/assets/${hash}/${name}` }
  })
  loaded = {
    byPath: new Map(addressed.map(({ path, asset }) => [path, asset])),
    pathOf: new Map(addressed.map(({ name, path }) => [name, path])),
  }
  return loaded
}
