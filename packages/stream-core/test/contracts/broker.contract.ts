import { afterAll, beforeAll, beforeEach, describe } from 'vitest'
import { type BrokerHarness, ContractBench } from './contract-bench.ts'
import { describeRecords } from './records.contract.ts'
import { describeRefusals } from './refusals.contract.ts'
import { describeTransactions } from './transactions.contract.ts'

/** What every log promises (src/broker/broker.ts); both adapters run all of these cases. */
export function describeBrokerContract(name: string, open: () => Promise<BrokerHarness>): void {
  describe(`${name} keeps the broker contract`, () => {
    const bench = new ContractBench()
    let harness: BrokerHarness

    beforeAll(async () => {
      harness = await open()
      bench.broker = harness.broker
    })
    afterAll(() => harness?.cleanup())
    beforeEach(() => bench.newTopic())

    describeRecords(bench)
    describeTransactions(bench)
    describe('with records that a topic does not take', () => describeRefusals(bench))
  })
}
