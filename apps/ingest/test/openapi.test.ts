import { expect, test } from 'vitest'
import { openTestIngest } from './support/running-ingest.ts'

test('the OpenAPI document is served, and names the routes of the API and no others', async () => {
  const system = await openTestIngest()
  try {
    const response = await fetch(`${system.ingest.url}/openapi.json`)
    const { paths } = (await response.json()) as { paths: Record<string, Record<string, unknown>> }
    const documented = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    )
    expect(documented.sort()).toEqual([
      'GET /api/receipts/{receipt}',
      'GET /openapi.json',
      'POST /api/polls',
      'POST /api/polls/{id}/ballots',
      'POST /api/polls/{id}/close',
      'POST /api/polls/{id}/codes',
    ])
    for (const route of documented) {
      const [method, path] = route.split(' ') as [string, string]
      const answer = await fetch(`${system.ingest.url}${path.replaceAll(/\{\w+\}/g, 'x')}`, {
        method,
        ...(method === 'POST' && { body: '{}', headers: { 'content-type': 'application/json' } }),
      })
      // An address that does not exist answers with the code not-found.
      expect(((await answer.json()) as { code?: string }).code, route).not.toBe('not-found')
    }
  } finally {
    await system.close()
  }
})
