import { protocolErrors } from '@platformatic/kafka'
import { expect, test } from 'vitest'
import { errorCode } from '../../src/adapters/kafka/kafka-errors.ts'
import { groupCode } from '../../src/broker/group-coordinator.ts'

/** Where our name is not Kafka's. */
const otherNames: { readonly [name: string]: string } = {
  INVALID_TOPIC: 'INVALID_TOPIC_EXCEPTION',
  OUT_OF_ORDER_SEQUENCE: 'OUT_OF_ORDER_SEQUENCE_NUMBER',
  DUPLICATE_SEQUENCE: 'DUPLICATE_SEQUENCE_NUMBER',
  INVALID_TRANSACTION_STATE: 'INVALID_TXN_STATE',
  INCONSISTENT_PROTOCOL: 'INCONSISTENT_GROUP_PROTOCOL',
}

test('every error code has the number that it has in Kafka', () => {
  const known = new Map(Object.entries(protocolErrors).map(([name, { code }]) => [name, code]))
  for (const [name, code] of [...Object.entries(errorCode), ...Object.entries(groupCode)]) {
    const theirs = name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()
    expect(code, name).toBe(known.get(otherNames[theirs] ?? theirs))
  }
})
