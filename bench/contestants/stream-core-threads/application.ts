import { kafkaBroker } from '../../../packages/stream-core/src/kafka.ts'
import type { ThreadContext } from '../../../packages/stream-core/src/threads.ts'
import type { Job } from '../../harness/job.ts'
import { topologies } from '../stream-core/topologies.ts'

/** What each thread runs: the same topology as without threads. */
export default ({ data }: ThreadContext) => {
  const job = data as Job
  return {
    topology: topologies[job.workload](job, () => undefined),
    applicationId: job.applicationId,
    broker: kafkaBroker({ bootstrapServers: job.bootstrapServers }),
    processingGuarantee: job.guarantee,
  }
}
