import { ByteWriter } from '../common/byte-writer.ts'
import { ProcessingError } from '../common/errors.ts'
import { decisionOf } from '../common/handler-decision.ts'
import { noHeaders, type Record } from '../common/record.ts'
import type { Serde } from '../common/serde.ts'
import type { AsyncWork, EngineContext, ProcessorContext } from '../processor/processor-context.ts'
import type { Processor } from '../processor/processor.ts'
import { type AsyncCallContext, AsyncCalls, type AsyncErrorPolicy, type AsyncOptions } from './async-calls.ts'

/**
 * A processor in two halves: `call` runs outside the loop and may take its time, `apply` runs inside it with the result and
 * may read and write stores and forward, like `process` of a plain one. Between the two other records are processed.
 */
export interface AsyncProcessor<K, V, T, KOut = K, VOut = V> {
  init?(context: ProcessorContext<KOut, VOut>): void
  call(record: Record<K, V>, context: AsyncCallContext): Promise<T>
  apply(result: T, record: Record<K, V>): void
  close?(): void
}

export interface AsyncProcessOptions extends AsyncOptions {
  /** For `order: 'key'`: keys are equal if their bytes are. null: only keys that are no objects can be told apart. */
  readonly key: Serde<unknown> | null
}

const defaults = { concurrency: 16, timeoutMs: 30_000, retries: 0, backoffMs: 100, backoffMaxMs: 10_000 } as const

/** Runs an asynchronous processor with bounded concurrency; before each commit every call has ended. */
export const asyncProcess =
  <K, V, T, KOut, VOut>(
    supplier: () => AsyncProcessor<K, V, T, KOut, VOut>,
    { key, order = 'key', onError, ...limits }: AsyncProcessOptions,
  ) =>
  (): Processor<K, V, KOut, VOut> => {
    const processor = supplier()
    let context: EngineContext<KOut, VOut>
    let calls: AsyncCalls<K, V, T>

    const work: AsyncWork = {
      get pending() {
        return calls.pending
      },
      get isFull() {
        return calls.isFull
      },
      runNext() {
        const settled = calls.take()
        if (settled === null) return false
        const { record, outcome } = settled
        context.recordContext = settled.context
        if ('error' in outcome) skipOrThrow(outcome.error, record, onError, context)
        else processor.apply(outcome.value, record)
        return true
      },
      get running() {
        return calls.running
      },
      get left() {
        return calls.left
      },
      endRetries: () => calls.endRetries(),
      cancel: () => calls.cancel(),
    }

    return {
      init(given) {
        context = given as EngineContext<KOut, VOut>
        const identify = identityOf(key, context.name) as (recordKey: K) => string | null
        calls = new AsyncCalls({
          ...defaults,
          ...limits,
          order,
          call: (record, callContext) => processor.call(record, callContext),
          identify,
          sleep: (delayMs, signal, purpose) => context.sleep(delayMs, signal, purpose),
          wake: () => context.wake(),
        })
        context.addAsyncWork(work)
        processor.init?.(context)
      },
      process: (record) => calls.add(record, context.recordContext),
      close() {
        calls.cancel()
        processor.close?.()
      },
    }
  }

function skipOrThrow<K, V>(
  error: Error,
  record: Record<K, V>,
  onError: AsyncErrorPolicy | undefined,
  context: EngineContext<never, never>,
): void {
  if (onError === undefined) throw error
  const decision = decisionOf('onError', context.name, error, ['fail', 'continue'], () => onError(error, record))
  if (decision === 'continue') return context.drop('async-call-failed')
  throw new ProcessingError(context.name, `a call of "${context.name}" failed: ${error.message}`, { cause: error })
}

function identityOf(serde: Serde<unknown> | null, nodeName: string): (key: unknown) => string | null {
  const writer = new ByteWriter()
  const serdeContext = { topic: '', part: 'key', headers: noHeaders } as const
  return (key) => {
    if (key === null || key === undefined) return null
    if (typeof key !== 'object') return `${typeof key}:${key as string}`
    if (serde === null) {
      throw new ProcessingError(
        nodeName,
        `"${nodeName}" keeps the order of each key and cannot tell keys apart that are objects: ` +
          "give the stream's key serde, or use order: 'partition'",
      )
    }
    writer.reset()
    serde.write(key, writer, serdeContext)
    return writer.toLatin1()
  }
}
