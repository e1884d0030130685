/**
 * Makes what is published of stream-core: `npm run build`, then `npm publish packages/stream-core/dist`. Another folder may be named.
 *
 *   1. Compile src to JavaScript and declarations, for Node strips no types below node_modules.
 *   2. Take the libraries we use out of the declarations: whoever has not their types could not check his program.
 *   3. Write the package file: entries lead to what was compiled, versions are those of the catalog.
 *   4. Copy what a package has to bring.
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const root = join(import.meta.dirname, '..')
const home = join(root, 'packages', 'stream-core')

interface PackageFile {
  readonly bin: { readonly [name: string]: string }
  readonly exports: { readonly [entry: string]: string }
  readonly dependencies: { readonly [name: string]: string }
  readonly [other: string]: unknown
}

function build(target: string): void {
  rmSync(target, { recursive: true, force: true })
  mkdirSync(target, { recursive: true })
  compile(join(target, 'lib'), join(target, 'tsconfig.json'))
  rmSync(join(target, 'tsconfig.json'))
  const source = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as PackageFile
  forgetLibraries(join(target, 'lib'), Object.keys(source.dependencies))
  writeFileSync(join(target, 'package.json'), `${JSON.stringify(published(source), null, 2)}\n`)
  for (const path of Object.values(source.bin)) chmodSync(join(target, compiled(path, '.js')), 0o755)
  copyFileSync(join(home, 'README.md'), join(target, 'README.md'))
  for (const name of ['LICENSE', 'CHANGELOG.md']) copyFileSync(join(root, name), join(target, name))
}

/** Step 1. */
function compile(outDir: string, project: string): void {
  const compilerOptions = {
    noEmit: false,
    declaration: true,
    sourceMap: true,
    inlineSources: true,
    rootDir: join(home, 'src'),
    outDir,
    typeRoots: [join(root, 'node_modules', '@types')],
  }
  const include = [join(home, 'src')]
  writeFileSync(
    project,
    JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, include, exclude: [] }),
  )
  const compiler = join(root, 'node_modules', 'typescript', 'lib', 'tsc.js')
  execFileSync(process.execPath, [compiler, '-p', project], { stdio: ['ignore', 'inherit', 'inherit'] })
}

/**
 * Step 2. No public type is made of theirs; they stand in the declarations of what is internal, which a compiler reads all the same.
 */
function forgetLibraries(lib: string, libraries: readonly string[]): void {
  const imports = /^import (?:type )?(?:(\w+)|\{ ([^}]*) \}) from '([^'.][^']*)';$/gm
  const inline = /import\("([^".][^"]*)"\)(?:\.\w+)+/g
  for (const name of readdirSync(lib, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.d.ts'))) {
    const path = join(lib, name)
    const text = readFileSync(path, 'utf8')
    const forgotten = text
      .replaceAll(imports, (line, whole: string | undefined, parts: string | undefined, library: string) => {
        if (!libraries.includes(library)) return line
        const names = whole === undefined ? parts!.split(', ').map((part) => part.replace('type ', '')) : [whole]
        return names.map((each) => anything(each, text)).join('\n')
      })
      .replaceAll(inline, (type, library: string) => (libraries.includes(library) ? 'Anything' : type))
    const left = libraries.find((library) => forgotten.includes(`'${library}'`) || forgotten.includes(`"${library}"`))
    if (left !== undefined) throw new Error(`${name} still names ${left}`)
    const isGeneric = /\bAnything\b/.test(forgotten) && !/\bAnything\b/.test(text)
    writeFileSync(path, isGeneric ? `${forgotten}type Anything<A = any, B = any> = any;\n` : forgotten)
  }
}

/** A name that may be a value, a type, and a namespace of types. */
function anything(name: string, text: string): string {
  const members = new Set([...text.matchAll(new RegExp(`\\b${name}\\.(\\w+)`, 'g'))].map((match) => match[1]!))
  const types = [...members].map((member) => `type ${member} = any;`).join(' ')
  return `declare const ${name}: any; type ${name} = any;${types === '' ? '' : ` declare namespace ${name} { ${types} }`}`
}

/** Step 3. */
function published({ bin, exports, dependencies, ...others }: PackageFile): object {
  const { name, version, description, license, type, engines } = others
  const versions = catalog()
  return {
    name,
    version,
    description,
    license,
    type,
    engines,
    files: ['lib', 'CHANGELOG.md'],
    bin: Object.fromEntries(Object.entries(bin).map(([name, path]) => [name, compiled(path, '.js')])),
    exports: {
      ...Object.fromEntries(
        Object.entries(exports).map(([entry, path]) => [
          entry,
          { types: compiled(path, '.d.ts'), default: compiled(path, '.js') },
        ]),
      ),
      './package.json': './package.json',
    },
    dependencies: Object.fromEntries(
      Object.entries(dependencies).map(([name, version]) => {
        const known = version === 'catalog:' ? versions.get(name) : version
        if (known === undefined) throw new Error(`pnpm-workspace.yaml has no version of ${name}`)
        return [name, known]
      }),
    ),
  }
}

const compiled = (path: string, extension: string): string =>
  path.replace(/^\.\/src\//, './lib/').replace(/\.ts$/, extension)

/** The versions that the workspace agrees on. */
function catalog(): ReadonlyMap<string, string> {
  const text = readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8')
  const lines = /^catalog:\n((?: {2}.*\n)*)/m.exec(text)?.[1] ?? ''
  return new Map([...lines.matchAll(/^ {2}'?([^':]+)'?: (\S+)$/gm)].map(([, name, version]) => [name!, version!]))
}

build(resolve(process.argv[2] ?? join(home, 'dist')))
