import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ResultDocument } from '@voting/election/events'
import { BackupError } from './backup-error.ts'

/**
 * A backup is a folder (docs/guide/backup.md):
 *
 *   manifest.json            this
 *   SHA256SUMS               of all other files, as `sha256sum -c` reads it; written last
 *   log/<topic>-<n>.ndjson.gz        the records of a partition, one a line
 *   database/<table>.ndjson.gz       the rows of a table, one a line
 */
export interface Manifest {
  readonly format: typeof formatName
  readonly version: number
  readonly createdAt: string
  readonly source: 'embedded' | 'kafka'
  /** Of each topic its partitions, in their order. */
  readonly log: readonly { readonly topic: string; readonly partitions: readonly PartitionEntry[] }[]
  readonly database: {
    /** The last migration of the schema that the rows are of. */
    readonly migration: number
    readonly tables: readonly TableEntry[]
  }
  /** What was published at that time. A restored log has to count up to the same. */
  readonly results: {
    readonly documents: readonly ResultDocument[]
    /** Of each partition of `ballots`: what lies before is in the documents, unless `uncounted` is above 0. */
    readonly ends: readonly number[]
    readonly uncounted: number
  }
}

export interface FileEntry {
  /** Path in the folder, with `/`. */
  readonly file: string
  /** Lines. */
  readonly rows: number
}

export interface PartitionEntry extends FileEntry {
  /** Offset of the first record that the log had, and the one behind the last that is here. */
  readonly firstOffset: number
  readonly nextOffset: number
}

export interface TableEntry extends FileEntry {
  readonly table: string
  readonly columns: readonly string[]
}

export const formatName = 'voting-backup'
export const formatVersion = 1
export const manifestFile = 'manifest.json'
export const sumsFile = 'SHA256SUMS'

export const filesOf = ({ log, database }: Manifest): readonly FileEntry[] => [
  ...log.flatMap(({ partitions }) => partitions),
  ...database.tables,
]

/** Throws a BackupError where there is no backup, or one that this version cannot read. */
export function readManifest(folder: string): Manifest {
  const path = join(folder, manifestFile)
  if (!existsSync(path)) {
    throw new BackupError('nothing-there', `there is no backup in ${folder}: ${manifestFile} is missing`)
  }
  let manifest: Partial<Manifest>
  try {
    manifest = JSON.parse(readFileSync(path, 'utf8')) as Partial<Manifest>
  } catch (error) {
    throw new BackupError('damaged', `${path} is damaged: ${(error as Error).message}`, { cause: error })
  }
  if (manifest.format !== formatName) {
    throw new BackupError('unknown-format', `${path} is no backup of the voting system`)
  }
  if (manifest.version !== formatVersion) {
    throw new BackupError(
      'unknown-format',
      `the backup in ${folder} has format ${manifest.version}, this version reads ${formatVersion}: use the version that made it`,
    )
  }
  return manifest as Manifest
}
