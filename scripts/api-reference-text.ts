import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, posix } from 'node:path'

const root = join(import.meta.dirname, '..')
const source = 'packages/stream-core/src'

const entries = [
  { module: 'stream-core', file: 'index' },
  { module: 'stream-core/kafka', file: 'kafka' },
  { module: 'stream-core/embedded', file: 'embedded' },
  { module: 'stream-core/metrics', file: 'metrics' },
  { module: 'stream-core/queries', file: 'queries' },
  { module: 'stream-core/operations', file: 'operations' },
  { module: 'stream-core/testing', file: 'testing' },
  { module: 'stream-core/threads', file: 'threads' },
]

/** Chapters by the file that declares a name; the first that fits. */
const chapters: readonly (readonly [title: string, files: RegExp])[] = [
  ['Serdes', /^common\/serde|dsl\/windowed-serde/],
  ['Windows and suppression', /^dsl\/(windows|suppressed)|operators\/windows|common\/windowed/],
  ['Asynchronous operators', /async/],
  ['Queries', /^(queries|query-router)\/|state\/layered-table/],
  ['Operations', /^operations\//],
  ['Stores', /^state\/|dsl\/stores/],
  ['Streams and tables', /^dsl\//],
  ['Processors and topologies', /^(processor|topology)\//],
  ['Running', /^(runtime|threads)\//],
  ['Errors', /^common\/errors/],
  ['Brokers', /^(broker|adapters)\//],
  ['Testing', /^testing\//],
  ['Records, time and the rest', /^common\//],
]

interface Declaration {
  readonly doc: string
  readonly code: string
}

/** The page about the library's public names, made from its declarations and their docstrings. */
export function apiReference(): string {
  const folder = mkdtempSync(join(tmpdir(), 'api-reference-'))
  try {
    emitDeclarations(folder)
    return page(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function emitDeclarations(outDir: string): void {
  const compiler = join(root, 'node_modules', 'typescript', 'lib', 'tsc.js')
  const project = join(outDir, 'tsconfig.json')
  const compilerOptions = {
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    stripInternal: true,
    rootDir: join(root, source),
    outDir,
    typeRoots: [join(root, 'node_modules', '@types')],
  }
  const include = [join(root, source)]
  writeFileSync(project, JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, include }))
  execFileSync(process.execPath, [compiler, '-p', project], { stdio: ['ignore', 'inherit', 'inherit'] })
}

function page(folder: string): string {
  const declarations = new Map<string, Map<string, Declaration>>()
  const declarationOf = (file: string, name: string): Declaration => {
    let ofFile = declarations.get(file)
    if (ofFile === undefined) {
      ofFile = declarationsOf(readFileSync(join(folder, `${file}.d.ts`), 'utf8'))
      declarations.set(file, ofFile)
    }
    const found = ofFile.get(name)
    if (found === undefined) throw new Error(`${file}.ts declares no "${name}" that an entry exports`)
    return found
  }
  const lines = [
    '# API reference',
    '',
    'Made by `npm run api-reference` from the declarations and docstrings of the code; a test compares the two. The',
    '[guide](guide/README.md) tells how the pieces belong together. Every length of time ends in its unit, or is a `Duration`.',
  ]
  for (const { module, file } of entries) {
    const exported = exportsOf(file)
    lines.push('', `## \`import … from '${module}'\``)
    for (const [title, names] of byChapter(exported)) {
      if (module === 'stream-core') lines.push('', `### ${title}`)
      for (const { name, from } of names) {
        const { doc, code } = declarationOf(from, name)
        lines.push('', `#### ${name}`, '')
        if (doc !== '') lines.push(doc, '')
        lines.push('```ts', code, '```')
      }
    }
  }
  return `${lines.join('\n')}\n`
}

interface Exported {
  readonly name: string
  /** Path of the declaring file below `src`, without its ending. */
  readonly from: string
}

/** What a file hands on, and who declares it. */
function exportsOf(file: string): Exported[] {
  const text = readFileSync(join(root, source, `${file}.ts`), 'utf8')
  return [...text.matchAll(/export (?:type )?\{([^}]*)\} from '([^']+)'/g)].flatMap(([, names, path]) => {
    const from = posix.join(posix.dirname(file), path!).replace(/\.ts$/, '')
    const handedOn = new Map(exportsOf(from).map((item) => [item.name, item.from]))
    return names!
      .split(',')
      .map((name) => name.replace(/^\s*type /, '').trim())
      .filter((name) => name !== '')
      .map((name) => ({ name, from: handedOn.get(name) ?? from }))
  })
}

function byChapter(exported: readonly Exported[]): Map<string, Exported[]> {
  const all = new Map<string, Exported[]>(chapters.map(([title]) => [title, []]))
  for (const item of exported) {
    const chapter = chapters.find(([, files]) => files.test(item.from))
    if (chapter === undefined) throw new Error(`no chapter for ${item.from}, which declares ${item.name}`)
    all.get(chapter[0])!.push(item)
  }
  return new Map([...all].filter(([, items]) => items.length > 0))
}

/** Top-level declarations of an emitted file, by name; overloads together. */
function declarationsOf(text: string): Map<string, Declaration> {
  const found = new Map<string, Declaration>()
  let doc: string[] = []
  let code: string[] | null = null
  for (const line of text.split('\n')) {
    if (code === null) {
      if (doc.length === 0 ? line.startsWith('/**') : !doc.at(-1)!.includes('*/')) doc.push(line)
      else if (/^(export|declare) /.test(line)) code = [line]
      else doc = line.startsWith('/**') ? [line] : []
    } else code.push(line)
    if (code === null || !isWhole(code)) continue
    const name = /^(?:export )?(?:declare )?(?:abstract )?\w+ (\w+)/.exec(code[0]!)?.[1]
    if (name !== undefined) {
      const before = found.get(name)
      const cleaned = clean(code)
      found.set(name, {
        doc: before?.doc || prose(doc),
        code: before === undefined ? cleaned : `${before.code}\n${cleaned}`,
      })
    }
    doc = []
    code = null
  }
  return found
}

function isWhole(code: readonly string[]): boolean {
  const text = code
    .join('\n')
    .replaceAll(/\/\*[^]*?\*\//g, '')
    .replaceAll(/'[^'\n]*'|=>/g, '')
  const brackets = text.match(/[{}()[\]]/g) ?? []
  const depth = brackets.reduce((sum, bracket) => sum + ('{(['.includes(bracket) ? 1 : -1), 0)
  return depth === 0 && /[;}]$/.test(code.at(-1)!)
}

/** Without what is no user's business. */
function clean(code: readonly string[]): string {
  return code
    .filter((line) => !/^ {4}(#private;|private |(readonly )?\[state\])/.test(line))
    .join('\n')
    .replace(/^export (declare )?/, '')
    .replaceAll('    ', '  ')
}

function prose(doc: readonly string[]): string {
  return doc
    .map((line) => line.replace(/^\s*(\/\*\*|\*\/|\*) ?/, '').replace(/\s*\*\/$/, ''))
    .join('\n')
    .trim()
}
