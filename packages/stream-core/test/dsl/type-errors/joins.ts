// Compiled by type-errors.test.ts: each line that ends in a comment `error: …` must fail with that message, no other may.
import { int64, joinWindows, string, timeWindows } from '../../../src/index.ts'
import { allPolls, ballots, names, namesById, polls, pollsById, type Poll, votes, windows } from './streams.ts'

// A stream with a stream.
votes.join(polls, (vote, poll) => vote.option + poll.title) // error: '"a join of two streams needs windows in its options: { windows: joinWindows({ difference: { minutes: 5 } }) }"'
votes.leftJoin(polls, (vote, poll) => vote.option + poll?.title) // error: '"a join of two streams needs windows in its options: { windows: joinWindows({ difference: { minutes: 5 } }) }"'
votes.outerJoin(polls, (vote, poll) => [vote, poll]) // error: '"a join of two streams needs windows in its options: { windows: joinWindows({ difference: { minutes: 5 } }) }"'
votes.join(polls, (vote, poll) => vote.option + poll.title, {}) // error: Property 'windows' is missing in type '{}' but required in type 'StreamJoinOptions<string, Vote, Poll>'
votes.join(polls, (vote, poll) => vote.option + poll.title, { windows: timeWindows({ size: 5 }) }) // error: Type 'TimeWindows' is missing the following properties from type 'JoinWindows': beforeMs, afterMs
votes.join(polls, (vote, poll) => vote.option + poll.title, { windows: joinWindows({ difference: '5 s' }) }) // error: Type 'string' is not assignable to type 'Duration'
votes.join(polls, (vote, poll) => vote.option + poll.title, { window: windows }) // error: 'window' does not exist in type 'StreamJoinOptions<string, Vote, Poll>'. Did you mean to write 'windows'?
votes.join(polls, (vote, poll) => vote.option + poll.titel, { windows }) // error: Property 'titel' does not exist on type 'Poll'. Did you mean 'title'?
votes.join(polls, (vote: Poll, poll: Poll) => vote.title + poll.title, { windows }) // error: is not assignable to parameter of type '(left: Vote, right: Poll, key: string) => string'
votes.join(polls, (vote, poll) => vote.option + poll.title, { windows, value: string() }) // error: Type 'Serde<string>' is not assignable to type 'Serde<Vote>'.
votes.join(polls, (vote, poll) => vote.option + poll.title, { windows, otherValue: string() }) // error: Type 'Serde<string>' is not assignable to type 'Serde<Poll>'.
votes.join(pollsById, (vote, poll) => vote.option + poll.title, { windows }) // error: '"both sides of a join need keys of one type: change one with selectKey(), or read the table with globalTable() and join by mapKey"'
votes.leftJoin(polls, (vote, poll) => vote.option + poll.title, { windows }) // error: 'poll' is possibly 'null'
votes.outerJoin(polls, (vote, poll) => vote.option + poll?.title, { windows }) // error: 'vote' is possibly 'null'

// A stream with a table.
votes.join(names, (vote, name) => vote.option + name.weight) // error: Property 'weight' does not exist on type 'string'
votes.join(names, (vote, name) => vote.option + name, { windows }) // error: 'windows' does not exist in type 'Joined<string, Vote>'
votes.join(names, (vote, name) => vote.option + name, { value: string() }) // error: Type 'Serde<string>' is not assignable to type 'Serde<Vote>'.
votes.join(namesById, (vote, name) => vote.option + name) // error: '"both sides of a join need keys of one type: change one with selectKey(), or read the table with globalTable() and join by mapKey"'
votes.outerJoin(names, (vote, name) => [vote, name]) // error: '"an outer join of a stream takes another stream: use leftJoin() with a table"'
votes.outerJoin(names, (vote, name) => [vote, name], { windows }) // error: '"an outer join of a stream takes another stream: use leftJoin() with a table"'

// A stream with a global table.
votes.join(allPolls, (vote, poll) => vote.option + poll.title) // error: '"a join with a global table needs options that make its key: { mapKey: (key, value) => ... }"'
votes.join(allPolls, (vote, poll) => vote.option + poll.title, {}) // error: Property 'mapKey' is missing in type '{}' but required in type 'GlobalJoinOptions<string, Vote, number>'
votes.join(allPolls, (vote, poll) => vote.option + poll.title, { mapKey: (_key, vote) => vote.option }) // error: Type 'string' is not assignable to type 'number'
votes.join(allPolls, (vote, poll) => vote.option + poll.title, { mapKey: (_key, vote) => vote.waight }) // error: Property 'waight' does not exist on type 'Vote'. Did you mean 'weight'?

// A table with a table.
ballots.join(namesById, (vote, name) => vote.option + name, { foreignKey: (_key, vote) => vote.option }) // error: Type 'string' is not assignable to type 'number'
ballots.join(namesById, (vote, name) => vote.option + name) // error: '"these tables have keys of different types: say in the options which row belongs to which, { foreignKey: (key, value) => ... }"'
ballots.join(namesById, (vote, name) => vote.option + name, { name: 'both' }) // error: Property 'foreignKey' is missing in type '{ name: string; }' but required in type 'ForeignKeyJoinOptions<
ballots.join(names, (vote, name) => vote.option + name, { store: { value: int64() } }) // error: Type 'Serde<number>' is not assignable to type 'Serde<string>'.
ballots.leftJoin(names, (vote, name) => vote.option + name.length) // error: 'name' is possibly 'null'
ballots.outerJoin(namesById, (vote, name) => [vote, name]) // error: '"an outer join needs tables with keys of one type: give one of them another key with groupBy(), or leftJoin() by foreignKey"'
ballots.join(polls, (vote, poll) => [vote, poll]) // error: '"a table is joined with tables: make the stream one with toTable(), or call join() on the stream"'
ballots.join(allPolls, (vote, poll) => [vote, poll]) // error: '"a table cannot be joined with a global table: read that topic with table() and join by foreignKey, or join toStream() with it"'

votes.merge(polls) // error: '"merge() takes a stream of the same keys and values: make them alike with map() or mapValues(), or declare a union for both"'
votes.merge(ballots) // error: '"merge() takes a stream: make the table one with toStream()"'
