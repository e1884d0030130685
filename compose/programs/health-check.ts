/** Asks this container's operations port: `node health-check.ts /readyz`. Ends with 0 on 200, else with 1 and the reason. */
const [path = '/readyz'] = process.argv.slice(2)

try {
  const answer = await fetch(`http://127.0.0.1:${process.env['OPS_PORT']}${path}`, {
    signal: AbortSignal.timeout(4000),
  })
  process.stdout.write(await answer.text())
  process.exitCode = answer.ok ? 0 : 1
} catch (error) {
  process.stdout.write(`${path} does not answer: ${String((error as Error).cause ?? error)}\n`)
  process.exitCode = 1
}
