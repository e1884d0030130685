import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../../../..')
const folder = join(import.meta.dirname, 'type-errors')

test('what is written wrongly does not compile, with a message that names what is wrong and what to do', () => {
  const messages = compilerMessages()
  const expected = new Map(
    globSync('*.ts', { cwd: folder }).flatMap((file) =>
      readFileSync(join(folder, file), 'utf8')
        .split('\n')
        .flatMap((text, i) => {
          const message = / \/\/ error: (.+)$/.exec(text)?.[1]
          return message === undefined ? [] : [[`${file}:${i + 1}`, message] as const]
        }),
    ),
  )
  expect([...messages.keys()].sort()).toEqual([...expected.keys()].sort())
  for (const [at, message] of expected) {
    expect(messages.get(at), at).toContain(message)
    // One signature is meant, and what is right about a call is understood.
    expect(messages.get(at), at).not.toMatch(/No overload matches|implicitly has an 'any' type/)
  }
}, 60_000)

/** All that the compiler says, by file and line. */
function compilerMessages(): Map<string, string> {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const { stdout } = spawnSync(process.execPath, [tsc, '--noEmit', '--pretty', 'false', '-p', folder], {
    cwd: folder,
    encoding: 'utf8',
  })
  const messages = new Map<string, string>()
  let at: string | null = null
  for (const text of stdout.split('\n')) {
    const found = /^([\w-]+\.ts)\((\d+),\d+\): error /.exec(text)
    if (found) at = `${found[1]}:${found[2]}`
    else if (!text.startsWith(' ')) at = null
    if (at !== null) messages.set(at, `${messages.get(at) ?? ''}${text}\n`)
    else expect(text.trim(), 'an error elsewhere').toBe('')
  }
  return messages
}
