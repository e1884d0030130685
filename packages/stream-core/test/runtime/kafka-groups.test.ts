import { kafkaBroker } from '../../src/kafka.ts'
import { startLocalKafka } from '../../../../scripts/local-kafka.ts'
import { describeGroups } from '../contracts/groups.contract.ts'

describeGroups('Kafka', async () => {
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
