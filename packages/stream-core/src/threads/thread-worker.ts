/**
 * The program of one thread:
 *
 *   1. The module makes the options, here.
 *   2. A `Streams` is run with them, until it is told to close or fails.
 *   3. The broker is closed, and the thread has nothing to do any more.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { ConfigError } from '../common/errors.ts'
import { metricsText } from '../runtime/metrics-export.ts'
import { Streams } from '../runtime/streams.ts'
import { type FromThread, sent, type ToThread, type WorkerStart } from './messages.ts'
import type { ThreadModule } from './thread-module.ts'

const { module, context, host } = workerData as WorkerStart
const port = parentPort!
const say = (message: FromThread): void => port.postMessage(message)

try {
  say({ kind: 'ended', failure: await run() })
} catch (error) {
  say({ kind: 'ended', failure: sent(error as Error) })
} finally {
  port.close()
}

async function run(): Promise<ReturnType<typeof sent> | null> {
  // 1.
  const { default: make } = (await import(module)) as { default?: ThreadModule }
  if (typeof make !== 'function') {
    throw new ConfigError('module', `module "${module}" must export a function as its default: (thread) => options`)
  }
  const options = await make(context)
  // 2.
  const streams = new Streams({
    ...options,
    stateDir: context.stateDir,
    host,
    onStateChange(state, previous) {
      say({ kind: 'state', state })
      options.onStateChange?.(state, previous)
    },
  })
  port.on('message', (message: ToThread) => void obey(streams, message))
  streams.start().then(
    () => say({ kind: 'running' }),
    () => undefined, // `stopped` says why
  )
  const failure = await streams.stopped
  // 3.
  await options.broker.close()
  return failure === null ? null : sent(failure)
}

async function obey(streams: Streams, message: ToThread): Promise<void> {
  switch (message.kind) {
    case 'pause':
      return streams.pause()
    case 'resume':
      return streams.resume()
    case 'ask':
      return say({
        kind: 'answer',
        id: message.id,
        value: message.what === 'state' ? streams.describeState() : metricsText(streams),
      })
    case 'close':
      return say({ kind: 'closed', isInTime: await streams.close({ timeoutMs: message.timeoutMs }) })
  }
}
