/** The log in one SQLite file: for one process, examples and tests. */
export { type EmbeddedLogOptions, openEmbeddedLog } from './adapters/embedded/embedded-log.ts'
