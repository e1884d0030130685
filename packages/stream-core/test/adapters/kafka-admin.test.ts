import { kafkaBroker } from '../../src/kafka.ts'
import { startLocalKafka } from '../../../../scripts/local-kafka.ts'
import { describeAdmin } from '../contracts/admin.contract.ts'

describeAdmin('Kafka', async () => {
  const given = process.env['KAFKA_BROKERS']
  const kafka = given ? null : await startLocalKafka()
  const broker = kafkaBroker({ bootstrapServers: given ?? kafka!.bootstrapServers, clientId: 'admin-contract' })
  return {
    broker,
    async cleanup() {
      await broker.close()
      await kafka?.stop()
    },
  }
})
