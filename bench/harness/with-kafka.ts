import { kafkaBroker } from '../../packages/stream-core/src/kafka.ts'
import { startLocalKafka } from '../../scripts/local-kafka.ts'
import type { Cluster } from '../workloads/workload.ts'
import { temporaryFolder } from './temporary-folder.ts'

/** A Kafka of its own with 1 GB of memory, and a folder for states, for as long as `use` takes. */
export async function withKafka<T>(use: (cluster: Cluster, folder: string) => Promise<T>): Promise<T> {
  const folder = temporaryFolder()
  const kafka = await startLocalKafka({ jvmFlags: ['-Xms1g', '-Xmx1g'] })
  const { bootstrapServers } = kafka
  const broker = kafkaBroker({ bootstrapServers })
  try {
    return await use({ bootstrapServers, broker }, folder.path)
  } finally {
    await broker.close()
    await kafka.stop()
    folder.remove()
  }
}
