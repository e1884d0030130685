import type { Database } from 'better-sqlite3'

/** The SQLite files of state that this process holds, by path: what ends when a process is killed. */
const open = new Map<string, Database>()

export function noteOpen(path: string, database: Database): void {
  open.set(path, database)
}

export function noteClosed(path: string, database: Database): void {
  if (open.get(path) === database) open.delete(path)
}

/** For simulation: lets go of all files in a folder, as the system does for a process that was killed. */
export function closeAllIn(folder: string): void {
  for (const [path, database] of open) {
    if (!path.startsWith(folder)) continue
    open.delete(path)
    if (database.open) database.close()
  }
}
