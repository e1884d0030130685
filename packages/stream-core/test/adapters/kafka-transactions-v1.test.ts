import { startLocalKafka } from '../../../../scripts/local-kafka.ts'
import { kafkaBroker } from '../../src/kafka.ts'
import { describeBrokerContract } from '../contracts/broker.contract.ts'

/** Clusters upgraded from before 4.0 stay at this version until somebody raises it. It always has a broker of its own. */
describeBrokerContract('Kafka with transactions of version 1', async () => {
  const kafka = await startLocalKafka({ features: { 'transaction.version': 1 } })
  const broker = kafkaBroker({ bootstrapServers: kafka.bootstrapServers, clientId: 'contract-v1' })
  return {
    broker,
    async cleanup() {
      await broker.close()
      await kafka.stop()
    },
  }
})
