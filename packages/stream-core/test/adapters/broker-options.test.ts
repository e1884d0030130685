import { expect, test } from 'vitest'
import { kafkaBroker, type KafkaSasl } from '../../src/kafka.ts'

/** What cannot work with any broker is refused where it is given. */
const refusalOf = (options: object): unknown => {
  try {
    kafkaBroker({ bootstrapServers: '127.0.0.1:9092', ...options })
    return null
  } catch (error) {
    return error
  }
}

test.each([
  ['bootstrapServers', { bootstrapServers: '' }],
  ['bootstrapServers', { bootstrapServers: 'kafka' }],
  ['tls', { tls: { cert: 'nonsense', key: 'nonsense' } }],
  ['tls', { tls: { pfx: Buffer.from('nonsense') } }],
  ['sasl.mechanism', { sasl: { mechanism: 'GSSAPI' } }],
  ['sasl.mechanism', { sasl: {} }],
  ['sasl.username', { sasl: { mechanism: 'PLAIN', password: 'x' } }],
  ['sasl.password', { sasl: { mechanism: 'SCRAM-SHA-256', username: 'alice' } }],
  ['sasl.password', { sasl: { mechanism: 'SCRAM-SHA-512', username: 'alice', password: '' } }],
  ['sasl.token', { sasl: { mechanism: 'OAUTHBEARER' } }],
  ['sasl.token', { sasl: { mechanism: 'OAUTHBEARER', token: '' } }],
])('%s is refused: %o', (option, options) => {
  expect(refusalOf(options)).toMatchObject({ name: 'ConfigError', code: 'INVALID_CONFIG', option })
})

test('what can work is taken, and nothing is connected', async () => {
  const ways: readonly KafkaSasl[] = [
    { mechanism: 'PLAIN', username: 'alice', password: 'x' },
    { mechanism: 'OAUTHBEARER', token: () => 'x', extensions: { logicalCluster: 'x' } },
  ]
  for (const sasl of ways) {
    expect(refusalOf({ tls: {}, sasl })).toBeNull()
    await kafkaBroker({ bootstrapServers: ['[::1]:9092', 'kafka:9093'], tls: {}, sasl }).close()
  }
})
