import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { BackupError } from './backup-error.ts'
import { filesOf, type Manifest, manifestFile, readManifest, sumsFile } from './manifest.ts'

/** Writes the sums of all files: the last thing that is written, so that without them a backup is not whole. */
export async function writeChecksums(folder: string, manifest: Manifest): Promise<void> {
  const lines: string[] = []
  for (const file of [manifestFile, ...filesOf(manifest).map((entry) => entry.file)]) {
    lines.push(`${await sha256Of(join(folder, file))}  ${file}\n`)
  }
  writeFileSync(join(folder, sumsFile), lines.join(''), { mode: 0o600, flush: true })
}

/**
 * The manifest of a backup whose every file is there and as it was written. Throws a BackupError that names the first that
 * is not.
 */
export async function verifyBackup(folder: string): Promise<Manifest> {
  const sumsPath = join(folder, sumsFile)
  const manifest = readManifest(folder)
  if (!existsSync(sumsPath)) {
    throw new BackupError('incomplete', `the backup in ${folder} is not whole: ${sumsFile}, its last file, is missing`)
  }
  const sums = new Map(
    readFileSync(sumsPath, 'utf8')
      .split('\n')
      .map((line) => [line.slice(66), line.slice(0, 64)]),
  )
  for (const file of [manifestFile, ...filesOf(manifest).map((entry) => entry.file)]) {
    const path = join(folder, file)
    if (!existsSync(path))
      throw new BackupError('incomplete', `the backup in ${folder} is not whole: ${file} is missing`)
    if (sums.get(file) !== (await sha256Of(path))) {
      throw new BackupError(
        'damaged',
        `the backup in ${folder} is damaged: ${file} is not what was written, by its checksum`,
      )
    }
  }
  return manifest
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}
