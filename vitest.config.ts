import { defineConfig } from 'vitest/config'

/** What is waited for comes late on a busy machine; Vitest's own patience is a second. */
const expectation = { poll: { timeout: 20_000 } }
const kafkaTests = ['packages/*/test/**/kafka*.test.ts', 'apps/*/test/**/kafka*.test.ts', 'bench/**/kafka*.test.ts']

/** `unit` needs nothing but this folder (and starts PostgreSQL's own binaries); `kafka` a broker; `e2e` a browser. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          expect: expectation,
          include: [
            'packages/*/test/**/*.test.ts',
            'apps/*/test/**/*.test.ts',
            'conformance/**/*.test.ts',
            'scripts/**/*.test.ts',
            'bench/**/*.test.ts',
          ],
          exclude: [...kafkaTests, '**/node_modules/**'],
          globalSetup: 'packages/election/test/support/shared-postgres.ts',
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'kafka',
          expect: expectation,
          include: kafkaTests,
          exclude: ['**/node_modules/**'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: 'e2e',
          expect: expectation,
          include: ['e2e/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
})
