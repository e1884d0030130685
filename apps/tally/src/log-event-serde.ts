import { json, type Serde } from 'stream-core'
import type { LogEvent } from '@voting/election/events'

/** A value of `ballots` that is no event: it is counted and rejected, and never stops the tally. */
export interface MalformedEvent {
  readonly type: 'malformed'
}

/** Reads the values of `ballots`. It never throws: whoever can write to the topic must not be able to stop the count. */
export const logEventSerde: Serde<LogEvent | MalformedEvent> = {
  name: 'log-event',
  write: (value, out, context) => json<LogEvent | MalformedEvent>().write(value, out, context),
  read(bytes, start, end, context) {
    try {
      const value = json<unknown>().read(bytes, start, end, context)
      return isLogEvent(value) ? value : malformed
    } catch {
      return malformed
    }
  },
}

/** Longer than anything ingest writes; what is not must not get into state, whose records the log limits. */
export const textLengthMax = 300

const malformed: MalformedEvent = { type: 'malformed' }

function isLogEvent(value: unknown): value is LogEvent {
  if (typeof value !== 'object' || value === null) return false
  const event = value as Record<string, unknown>
  if (!isText(event['poll']) || !Number.isSafeInteger(event['at'])) return false
  switch (event['type']) {
    case 'ballot':
      return isText(event['ballotId']) && hasChoice(event) && (event['region'] === null || isText(event['region']))
    case 'open':
      return isRules(event['rules'])
    case 'extend':
    case 'close':
      return true
    default:
      return false
  }
}

/** One option, or a list of them, in which none is twice. */
function hasChoice({ option, choices }: Record<string, unknown>): boolean {
  if (choices === undefined) return isText(option)
  return option === undefined && isTexts(choices) && new Set(choices).size === choices.length
}

function isRules(rules: unknown): boolean {
  if (typeof rules !== 'object' || rules === null) return false
  const { options, regions, revote, maxChoices = 1, allowBlank = false } = rules as Record<string, unknown>
  return (
    isTexts(options) &&
    isTexts(regions) &&
    (revote === 'first' || revote === 'last') &&
    Number.isSafeInteger(maxChoices) &&
    typeof allowBlank === 'boolean'
  )
}

const isText = (value: unknown): boolean => typeof value === 'string' && value.length <= textLengthMax

const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText)
