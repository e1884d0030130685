import { json, StreamsBuilder, string, type Topology } from 'stream-core'

export interface Comment {
  readonly text: string
  readonly language: string
}

/** Something that takes its time: a service behind HTTP, a database. */
export type Translate = (comment: Comment, signal: AbortSignal) => Promise<string>

/**
 * Asks a service about each comment: twenty at a time, those of one author in order, three tries each. What cannot be
 * translated is left as it is, and nothing stops.
 */
export function topology(translate: Translate): Topology {
  const builder = new StreamsBuilder()
  builder
    .stream('comments', { key: string(), value: json<Comment>() })
    .mapValuesAsync((comment, _author, { signal }) => translate(comment, signal), {
      name: 'translate',
      value: string(),
      concurrency: 20,
      order: 'key',
      timeoutMs: 5000,
      retries: 2,
      backoffMs: 200,
      onError: () => 'continue',
    })
    .to('translations')
  return builder.build()
}
