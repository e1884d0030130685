import { startLocalKafka } from '../../../../scripts/local-kafka.ts'
import { kafkaBroker } from '../../src/kafka.ts'
import { describeBrokerContract } from '../contracts/broker.contract.ts'
import { describeGroups } from '../contracts/groups.contract.ts'

/** The oldest Kafka that is promised. It always has brokers of its own. */
const open = async () => {
  const kafka = await startLocalKafka({ version: '3.5.2' })
  const broker = kafkaBroker({ bootstrapServers: kafka.bootstrapServers, clientId: 'contract-3.5' })
  return {
    broker,
    async cleanup() {
      await broker.close()
      await kafka.stop()
    },
  }
}

describeBrokerContract('Kafka 3.5', open)
describeGroups('Kafka 3.5', open)
