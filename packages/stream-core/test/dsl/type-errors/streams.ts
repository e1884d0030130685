/** What the others get wrong. */
import { int64, joinWindows, json, StreamsBuilder, string } from '../../../src/index.ts'

export interface Vote {
  readonly option: string
  readonly weight: number
}
export interface Poll {
  readonly title: string
}

export const builder = new StreamsBuilder()
export const votes = builder.stream('votes', { key: string(), value: json<Vote>() })
export const polls = builder.stream('polls', { key: string(), value: json<Poll>() })
export const pollsById = builder.stream('polls-by-id', { key: int64(), value: json<Poll>() })
export const names = builder.table('names', { key: string(), value: string() })
export const ballots = builder.table('ballots', { key: string(), value: json<Vote>() })
export const namesById = builder.table('names-by-id', { key: int64(), value: string() })
export const allPolls = builder.globalTable('all-polls', { key: int64(), value: json<Poll>() })
export const windows = joinWindows({ difference: 5 })
