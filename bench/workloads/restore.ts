import { partitionForKey } from '../../packages/stream-core/src/index.ts'
import { random } from './random.ts'
import { eventTimeStartMs, fill } from './topics.ts'
import { partitions, type Workload } from './workload.ts'

export const restore: Workload = {
  name: 'restore',
  question: 'a changelog of counts into an empty folder, until the application runs and its store can be read',
  records: 1_000_000,
  async prepare({ broker }, records, prefix) {
    const input = `${prefix}-input`
    let sum = 0
    await fill(broker, input, { count: 0 }, () => undefined)
    return {
      input,
      table: '',
      ticks: records,
      // As an application of this name would have left it.
      async prepareFor(applicationId) {
        const next = random(11)
        const startMs = eventTimeStartMs()
        const configs = { 'cleanup.policy': 'compact' }
        sum = 0
        await fill(broker, `${applicationId}-counts-changelog`, { count: records, configs }, (i, append) => {
          const key = Buffer.from(`${(Math.imul(i, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0')}${i}`, 'latin1')
          const count = 1 + (next() % 1000)
          sum += count
          const value = Buffer.alloc(8)
          value.writeUInt32BE(count, 4)
          append(partitionForKey(key, partitions), key, value, startMs + i)
        })
      },
      async check(_job, { check }) {
        if (check?.['keys'] === records && check['sum'] === sum) return null
        return `the store has ${JSON.stringify(check)} instead of ${records} keys and the sum ${sum}`
      },
    }
  },
}
