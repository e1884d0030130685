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
const receipt = {
  name: 'receipt',
  in: 'query',
  description: 'Of a ballot of this poll: opens results that are shown to those who have voted',
  schema: { type: 'string' },
}
const hidden = {
  description: 'Only where the results are hidden: until when. Totals and regions are then empty',
  oneOf: [
    { enum: ['after-voting', 'after-close'] },
    { type: 'object', required: ['from'], properties: { from: { type: 'integer' } } },
  ],
}
const counts = { type: 'object', additionalProperties: { type: 'integer' } }
const integers = { type: 'array', items: { type: 'integer' } }
const curve = { type: 'array', items: { type: ['integer', 'null'] } }
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
        parameters: [
          id,
          receipt,
          { name: 'at', in: 'query', description: 'Of a closed poll: how it stood then, to the minute', schema: time },
          { name: 'If-None-Match', in: 'header', schema: { type: 'string' } },
        ],
        responses: {
          ...ok('The result', { $ref: '#/components/schemas/Result' }),
          304: { description: 'Not changed' },
          ...errors({ 400: 'malformed', 404: 'unknown-poll', 409: 'still-open', 503: 'unavailable' }),
        },
      },
    },
    '/api/polls/{id}/trends': {
      get: {
        operationId: 'getTrends',
        summary: 'Net change of every option per window, as aligned columns',
        parameters: [
          id,
          receipt,
          { name: 'window', in: 'query', schema: { type: 'string', enum: ['1s', '10s', '1m'], default: '10s' } },
          { name: 'from', in: 'query', schema: time },
          { name: 'to', in: 'query', schema: time },
        ],
        responses: {
          ...ok('The trend', { $ref: '#/components/schemas/Trend' }),
          ...errors({ 400: 'malformed', 403: 'results-hidden', 404: 'unknown-poll', 503: 'unavailable' }),
        },
      },
    },
    '/api/polls/{id}/analytics': {
      get: {
        operationId: 'getAnalytics',
        summary: 'What was found out about a poll beside its result: by minute, lead changes, changes of mind, bursts',
        parameters: [id, receipt],
        responses: {
          ...ok('The analytics', { $ref: '#/components/schemas/Analytics' }),
          ...errors({ 403: 'results-hidden', 404: 'unknown-poll', 503: 'unavailable' }),
        },
      },
    },
    '/api/polls/{id}/compare': {
      get: {
        operationId: 'comparePolls',
        summary: 'Polls beside each other on the axis of the time since their opening',
        parameters: [
          id,
          receipt,
          {
            name: 'with',
            in: 'query',
            required: true,
            description: 'One to three other polls, id or slug, with commas',
            schema: { type: 'string' },
          },
        ],
        responses: {
          ...ok('The curves; null where a poll had ended, or has not come to', {
            $ref: '#/components/schemas/Comparison',
          }),
          ...errors({ 400: 'malformed', 403: 'results-hidden', 404: 'unknown-poll', 503: 'unavailable' }),
        },
      },
    },
    '/api/polls/{id}/export.csv': {
      get: {
        operationId: 'exportCsv',
        summary: 'A table for spreadsheets',
        parameters: [
          id,
          receipt,
          {
            name: 'table',
            in: 'query',
            schema: { type: 'string', enum: ['results', 'regions', 'minutes'], default: 'results' },
          },
        ],
        responses: {
          200: { description: 'The table', content: { 'text/csv': { schema: { type: 'string' } } } },
          ...errors({ 400: 'malformed', 403: 'results-hidden', 404: 'unknown-poll', 503: 'unavailable' }),
        },
      },
    },
    '/api/polls/{id}/export.json': {
      get: {
        operationId: 'exportJson',
        summary: 'Definition, result and analytics in one',
        parameters: [id, receipt],
        responses: {
          ...ok('Everything', {
            type: 'object',
            required: ['definition', 'result', 'analytics'],
            properties: {
              definition: { type: 'object' },
              result: { $ref: '#/components/schemas/Result' },
              analytics: { $ref: '#/components/schemas/Analytics' },
            },
          }),
          ...errors({ 403: 'results-hidden', 404: 'unknown-poll', 503: 'unavailable' }),
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
          hidden,
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
          hidden,
          at: { ...time, description: 'Only where it was asked for: the time as of which this is' },
          voters: { type: 'integer' },
          totals: counts,
          blank: { type: 'integer', description: 'Ballots that name no option; only where the poll allows them' },
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
          rejections: { ...counts, description: 'Ballots that were not counted, by reason' },
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
      Analytics: {
        type: 'object',
        required: [
          'poll',
          'asOf',
          'epoch',
          'version',
          'electorate',
          'rejections',
          'minutes',
          'leads',
          'flows',
          'bursts',
        ],
        properties: {
          poll: { type: 'string' },
          asOf: { type: ['string', 'null'], format: 'date-time' },
          epoch: { type: 'integer' },
          version: { type: 'integer' },
          electorate: { type: ['integer', 'null'] },
          rejections: { ...counts, description: 'Ballots that were not counted, by reason' },
          minutes: {
            type: 'object',
            description: 'Aligned columns, one row a minute: what happened in it, and how the poll stood at its end',
            required: ['start', 'votes', 'changed', 'rejected', 'voters', 'turnout', 'leader', 'margin', 'totals'],
            properties: {
              start: { type: 'array', items: time },
              votes: { ...integers, description: 'Ballots that changed the result' },
              changed: { ...integers, description: 'Those of them that replaced an earlier one' },
              rejected: integers,
              voters: integers,
              turnout: {
                type: ['array', 'null'],
                items: { type: 'number' },
                description: '0 to 1; null where the electorate is not known',
              },
              leader: { type: 'array', items: { type: ['string', 'null'] }, description: 'null: several have as many' },
              margin: integers,
              totals: { type: 'object', additionalProperties: integers },
            },
          },
          leads: {
            type: 'array',
            description: 'Changes of the lead, oldest first, the newest 50',
            items: {
              type: 'object',
              properties: {
                at: time,
                from: { type: ['string', 'null'] },
                to: { type: 'string' },
                margin: { type: 'integer' },
                voters: { type: 'integer' },
              },
            },
          },
          flows: {
            type: 'array',
            description: 'Voters who changed their minds, from option to option; groups below 10 are left out',
            items: {
              type: 'object',
              properties: { from: { type: 'string' }, to: { type: 'string' }, voters: { type: 'integer' } },
            },
          },
          bursts: {
            type: 'array',
            description:
              'Times with many more ballots than usual, to be looked at; all of their ballots are treated like others',
            items: {
              type: 'object',
              properties: {
                from: time,
                to: time,
                windowSeconds: { type: 'integer' },
                recorded: { type: 'integer' },
                rejected: { type: 'integer' },
                peak: { type: 'integer', description: 'Most ballots in one window' },
                usual: {
                  type: 'number',
                  description:
                    'Per window: the median of the five minutes before, or the mean of all with ballots if that is more',
                },
              },
            },
          },
        },
      },
      Comparison: {
        type: 'object',
        required: ['stepSeconds', 'elapsedSeconds', 'runs'],
        properties: {
          stepSeconds: { type: 'integer' },
          elapsedSeconds: integers,
          runs: {
            type: 'array',
            items: {
              type: 'object',
              required: ['poll', 'slug', 'title', 'run', 'opensAt', 'electorate', 'options', 'voters', 'totals'],
              properties: {
                poll: { type: 'string' },
                slug: { type: 'string' },
                title: { type: 'string' },
                run: { type: 'integer', description: 'Which of its series' },
                opensAt: time,
                electorate: { type: ['integer', 'null'] },
                options: { type: 'array', items: { type: 'object' } },
                voters: curve,
                totals: { type: 'object', additionalProperties: curve },
              },
            },
          },
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
