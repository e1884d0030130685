/**
 * A program that opens everything, closes the broker object, says so, and has nothing left to do. Arguments: options of
 * `kafkaBroker` as JSON, a topic, and `after-outage` to be let go on only when the brokers are gone.
 */
import { kafkaBroker, type KafkaBrokerOptions } from '../../src/kafka.ts'
import { memberOptions } from './use-broker.ts'

const [, , options, topic, isAfterOutage] = process.argv
const broker = kafkaBroker(JSON.parse(options!) as KafkaBrokerOptions)
const producer = await broker.openProducer({ transactionalId: topic! })
producer.append(topic!, 0, null, 'left open', Date.now())
await producer.flush()
const reader = broker.openReader()
reader.assign([{ topic: topic!, partition: 0, offset: 0 }])
await reader.poll(10)
const member = broker.openGroupMember(memberOptions(topic!, topic!))
await member.join()
// One is a member, one is waiting to become one.
const waiting = broker.openGroupMember(memberOptions(topic!, topic!)).join()
waiting.catch(() => undefined)
await new Promise((resolve) => setTimeout(resolve, 500))
console.log('open')
if (isAfterOutage) await new Promise<void>((resolve) => process.stdin.once('end', resolve).resume())
await broker.close()
console.log('closed')
