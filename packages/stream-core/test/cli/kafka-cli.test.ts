import { startLocalKafka } from '../../../../scripts/local-kafka.ts'
import { kafkaBroker } from '../../src/kafka.ts'
import { describeResets } from './reset.contract.ts'
import { runCli } from './run-cli.ts'

describeResets('Kafka', async () => {
  const kafka = await startLocalKafka()
  const { bootstrapServers } = kafka
  return {
    open: async () => kafkaBroker({ bootstrapServers }),
    async run(broker, ...args) {
      // As on the embedded log: who opens it again does not hold the last one. One that runs keeps it.
      const holds = broker.admin.groupMembers(args[2]!).then((members) => members.length > 0)
      if (!(await holds)) await broker.close()
      return runCli(...args, '--bootstrap-servers', bootstrapServers)
    },
    cleanup: () => kafka.stop(),
  }
})
