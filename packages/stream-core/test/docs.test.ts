import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { commitSteps } from '../src/index.ts'

const root = join(import.meta.dirname, '..', '..', '..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

const documents = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md']
  .concat(readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map((name) => join('docs', name)))
  .filter((path) => path.endsWith('.md'))

test('every error code is documented, and every documented code exists', () => {
  const source = read('packages/stream-core/src/common/errors.ts')
  const union = /export type ErrorCode =\n([^]*?)\n\n/.exec(source)![1]!
  const codes = [...union.matchAll(/'([A-Z_]+)'/g)].map((match) => match[1]!)
  const documented = [...read('docs/errors.md').matchAll(/^## ([A-Z_]+)$/gm)].map((match) => match[1]!)
  expect(documented.sort()).toEqual(codes.sort())
})

test('the steps of the commit are the same in the code and on the page about it', () => {
  const page = read('docs/internals/exactly-once.md')
  const documented = [...page.matchAll(/^\d\. \*\*([^*]+)\.\*\*/gm)].map((match) => match[1]!.toLowerCase())
  expect(documented).toEqual([...commitSteps])
})

test.each(documents)('links of %s lead somewhere, and its examples are the files they name', (path) => {
  const text = read(path)
  for (const [, target] of text.matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)) {
    expect(() => readFileSync(join(root, dirname(path), target!)), `${path} links to ${target}`).not.toThrow()
  }
  for (const [, example, code] of text.matchAll(/<!-- example: (\S+) -->\n```ts\n([^]*?)```/g)) {
    expect(code, `${path} shows ${example}`).toBe(read(example!))
  }
})

test('every command the README names is a script', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  for (const [, name] of read('README.md').matchAll(/npm (?:run )?(start|test|(?<=run )[a-z:]+)/g)) {
    expect(scripts, `npm run ${name}`).toHaveProperty(name!)
  }
})
