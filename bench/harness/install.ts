import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const tools = join(import.meta.dirname, '..', '..', '.tools')

/**
 * A folder of .tools for what a contestant needs, filled once by `fill`; again when `recipe`, the text that says what is
 * needed, has changed.
 */
export function installed(name: string, recipe: string, fill: (folder: string) => void): string {
  const folder = join(tools, `bench-${name}`)
  const mark = join(folder, '.complete')
  if (existsSync(mark) && readFileSync(mark, 'utf8') === recipe) return folder
  process.stderr.write(`installing ${name}, once\n`)
  mkdirSync(folder, { recursive: true })
  fill(folder)
  writeFileSync(mark, recipe)
  return folder
}

/** Runs a program to its end. Throws with what it said if it fails, or is not there. */
export function must(program: string, ...given: readonly string[]): string {
  const { error, status, stdout, stderr } = spawnSync(program, given, { encoding: 'utf8', maxBuffer: 1 << 28 })
  if (error) throw new Error(`${program} cannot be run: ${error.message}`)
  if (status !== 0) throw new Error(`${program} ${given.join(' ')}: ${(stderr || stdout).trim().slice(-1000)}`)
  return stdout
}

/** A Python environment with the packages of a requirements file; returns its interpreter. */
export function pythonWith(name: string, requirementsFile: string): string {
  const folder = installed(name, readFileSync(requirementsFile, 'utf8'), (target) => {
    must('python3', '-m', 'venv', '--clear', target)
    must(join(target, 'bin', 'pip'), 'install', '--quiet', '--disable-pip-version-check', '-r', requirementsFile)
  })
  return join(folder, 'bin', 'python')
}
