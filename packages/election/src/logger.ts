import { pino } from 'pino'
import type { Logger } from 'stream-core'

/** Words that must not reach a log, wherever they stand in what is logged. */
const secret = ['authorization', 'cookie', 'code', 'codes', 'option', 'nonce', 'organiserToken', 'databaseUrl']

/** JSON lines on standard error; standard output belongs to the line that says where an app is. */
export function openLogger(app: string, level = 'info'): Logger {
  return pino(
    { level, base: { app }, redact: { paths: secret.flatMap((name) => [name, `*.${name}`]), censor: '[redacted]' } },
    pino.destination({ fd: 2, sync: true }),
  )
}
