import { startLocalKafka } from '../../../../scripts/local-kafka.ts'
import { kafkaBroker } from '../../src/kafka.ts'
import { describeProduction } from '../contracts/production.contract.ts'

describeProduction('Kafka', async () => {
  const kafka = await startLocalKafka()
  const broker = kafkaBroker({ bootstrapServers: kafka.bootstrapServers })
  return {
    broker,
    async cleanup() {
      await broker.close()
      await kafka.stop()
    },
  }
})
