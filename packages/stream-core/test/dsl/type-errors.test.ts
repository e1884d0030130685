import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../../../..')
const folder = join(import.meta.dirname, 'type-errors')

test('a wrong serde, joiner or option does not compile, with a message that names what is wrong', () => {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const { stdout } = spawnSync(process.execPath, [tsc, '--noEmit', '--pretty', 'false', '-p', folder], {
    cwd: folder,
    encoding: 'utf8',
  })
  const messages = new Map<number, string>()
  let line = 0
  for (const text of stdout.split('\n')) {
    const found = /^wrong\.ts\((\d+),\d+\): error /.exec(text)
    if (found) line = Number(found[1])
    else if (!text.startsWith(' ')) line = 0
    if (line > 0) messages.set(line, `${messages.get(line) ?? ''}${text}\n`)
    else expect(text.trim(), 'an error elsewhere').toBe('')
  }
  const expected = new Map(
    readFileSync(join(folder, 'wrong.ts'), 'utf8')
      .split('\n')
      .flatMap((text, i) => {
        const message = / \/\/ error: (.+)$/.exec(text)?.[1]
        return message === undefined ? [] : [[i + 1, message] as const]
      }),
  )
  expect([...messages.keys()]).toEqual([...expected.keys()])
  for (const [at, message] of expected) expect(messages.get(at), `line ${at}`).toContain(message)
}, 60_000)
