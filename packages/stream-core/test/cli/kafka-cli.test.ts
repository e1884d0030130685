import { kafkaBroker } from '../../src/kafka.ts'
import { startLocalKafka } from '../../../../scripts/local-kafka.ts'
import { describeResets } from './reset.contract.ts'
import { runCli } from './run-cli.ts'

describeResets('Kafka', async () => {
  const given = process.env['KAFKA_BROKERS']
  const kafka = given ? null : await startLocalKafka()
  const bootstrapServers = given ?? kafka!.bootstrapServers
  return {
    open: async () => kafkaBroker({ bootstrapServers }),
    run: async (_broker, ...args) => runCli(...args, '--bootstrap-servers', bootstrapServers),
    async cleanup() {
      await kafka?.stop()
    },
  }
})
