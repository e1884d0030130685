#!/usr/bin/env node
/** `stream-core`: looks at topologies and applications, and resets them. `stream-core --help` says more. */
import { runCli } from './cli/main.ts'

process.exitCode = await runCli(process.argv.slice(2), {
  out: (text) => void process.stdout.write(`${text}\n`),
  err: (text) => void process.stderr.write(`${text}\n`),
})
