import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')

const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const end = Date.now() + 20_000
  while (!holds()) {
    if (Date.now() > end) throw new Error(`not within 20 s: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

test('a program whose npm is gone is asked to end once, and has the time that takes', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bootstrap-test-'))
  const [program, heard] = [join(folder, 'program.mjs'), join(folder, 'heard')]
  // It takes its time to stop, as a system with a database does, and notes each signal meanwhile.
  writeFileSync(
    program,
    `import { appendFileSync } from 'node:fs'
     const note = (text) => appendFileSync(${JSON.stringify(heard)}, text)
     process.on('SIGTERM', () => {
       note('signal ')
       setTimeout(() => { note('end'); process.exit() }, 2500)
     })
     setInterval(() => undefined, 1000)
     note('up ')`,
  )
  const command = `${process.execPath} scripts/bootstrap.mjs ${relative(root, program)} & wait`
  const npm = spawn('sh', ['-c', command], { cwd: root, stdio: 'ignore' })
  await until('it runs', () => textOf(heard) === 'up ')
  npm.kill('SIGKILL')
  await until('it has ended', () => textOf(heard).endsWith('end'))
  expect(textOf(heard)).toBe('up signal end')
  rmSync(folder, { recursive: true })
}, 60_000)
