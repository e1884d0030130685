/** The viewer's OpenAPI document; test/api.test.ts compares it with the routes, both ways. */
const errors = (codes: { readonly [status: string]: string }): object =>
  Object.fromEntries(
    Object.entries(codes).map(([status, description]) => [
      status,
      { description, content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } },
    ]),
  )

const ok = (description: string, schema: object): object => ({
  200: { description, content: { 'application/json': { schema } } },
})

const id = { name: 'id', in: 'path', required: true, description: 'Id or slug of a poll', schema: { type: 'string' } }
const counts = { type: 'object', additionalProperties: { type: 'integer' } }
const time = { type: 'string', format: 'date-time' }
const status = { type: 'string', enum: ['scheduled', 'open', 'closed', 'final'] }

export const openapi = {
  openapi: '3.1.0',
  info: {
    title: 'Viewer',
    version: '1.0.0',
    description: 'Results of polls. Live changes: WebSocket at /ws with the sub-protocol tally.v1.',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  paths: {
    '/api/polls': {
      get: {
        operationId: 'listPolls',
        summary: 'All polls with status and totals',
        responses: {
          ...ok('The polls, newest first', {
            type: 'object',
            required: ['polls'],
            properties: { polls: { type: 'array', items: { $ref: '#/components/schemas/PollSummary' } } },
          }),
          ...errors({ 503: 'unavailable' }),
        },
      },
    },
    '/api/polls/{id}/results': {
      get: {
        operationId: 'getResults',
        summary: 'The newest result of a poll; has an ETag',
        parameters: [id, { name: 'If-None-Match', in: 'header', schema: { type: 'string' } }],
        responses: {
          ...ok('The result', { $ref: '#/components/schemas/Result' }),
          304: { description: 'Not changed' },
          ...errors({ 404: 'unknown-poll', 503: 'unavailable' }),
        },
      },
    },
    '/api/polls/{id}/trends': {
      get: {
        operationId: 'getTrends',
        summary: 'Net change of every option per window, as aligned columns',
        parameters: [
          id,
          { name: 'window', in: 'query', schema: { type: 'string', enum: ['1s', '10s', '1m'], default: '10s' } },
          { name: 'from', in: 'query', schema: time },
          { name: 'to', in: 'query', schema: time },
        ],
        responses: {
          ...ok('The trend', { $ref: '#/components/schemas/Trend' }),
          ...errors({ 400: 'malformed', 404: 'unknown-poll', 503: 'unavailable' }),
        },
      },
    },
    '/openapi.json': {
      get: { operationId: 'getOpenapi', summary: 'This document', responses: ok('OpenAPI 3.1', { type: 'object' }) },
    },
  },
  components: {
    schemas: {
      PollSummary: {
        type: 'object',
        required: ['id', 'slug', 'title', 'status', 'opensAt', 'closesAt', 'voters', 'totals'],
        properties: {
          id: { type: 'string' },
          slug: { type: 'string' },
          title: { type: 'string' },
          status,
          opensAt: time,
          closesAt: time,
          voters: { type: 'integer' },
          totals: counts,
        },
      },
      Result: {
        type: 'object',
        required: ['poll', 'status', 'asOf', 'epoch', 'version', 'voters', 'totals', 'regions', 'accounting'],
        properties: {
          poll: { type: 'string' },
          status,
          asOf: { type: ['string', 'null'], format: 'date-time', description: 'Time of the newest counted ballot' },
          epoch: { type: 'integer', description: 'Changes when counting starts anew' },
          version: { type: 'integer' },
          definitionHash: { type: 'string' },
          closesAt: time,
          voters: { type: 'integer' },
          totals: counts,
          regions: { type: 'object', additionalProperties: counts },
          accounting: {
            type: 'object',
            description: 'recorded = accepted + superseded + rejected + duplicates',
            required: ['recorded', 'accepted', 'superseded', 'rejected', 'duplicates'],
            properties: Object.fromEntries(
              ['recorded', 'accepted', 'superseded', 'rejected', 'duplicates'].map((name) => [
                name,
                { type: 'integer' },
              ]),
            ),
          },
        },
      },
      Trend: {
        type: 'object',
        required: ['window', 'start', 'counts'],
        properties: {
          window: { type: 'string', enum: ['1s', '10s', '1m'] },
          start: { type: 'array', items: time },
          counts: { type: 'object', additionalProperties: { type: 'array', items: { type: 'integer' } } },
        },
      },
      Problem: {
        type: 'object',
        required: ['type', 'title', 'status', 'code'],
        properties: {
          type: { type: 'string' },
          title: { type: 'string' },
          status: { type: 'integer' },
          code: { type: 'string' },
          detail: { type: 'string' },
        },
      },
    },
  },
}
