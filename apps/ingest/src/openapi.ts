import { refusals } from './refusals.ts'

/** Ingest's OpenAPI document; test/openapi.test.ts compares it with the routes, both ways. */
const json = (schema: object): object => ({ content: { 'application/json': { schema } } })
const problem = (description: string): object => ({
  description,
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
})

function refusalResponses(): object {
  const byStatus = new Map<number, string[]>()
  for (const { status, code } of Object.values(refusals)) byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  return Object.fromEntries([...byStatus].map(([status, codes]) => [status, problem(codes.join(', '))]))
}

const id = { name: 'id', in: 'path', required: true, description: 'Id or slug of a poll', schema: { type: 'string' } }
const time = { type: 'string', format: 'date-time' }
const organiser = [{ organiserToken: [] }]

export const openapi = {
  openapi: '3.1.0',
  info: {
    title: 'Ingest',
    version: '1.0.0',
    description: 'Takes ballots. Recorded means: in the log. Counted means: in a published result.',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  paths: {
    '/api/polls': {
      post: {
        operationId: 'createPoll',
        summary: 'Create a poll; frozen once it is open',
        security: organiser,
        requestBody: { required: true, ...json({ $ref: '#/components/schemas/NewPoll' }) },
        responses: {
          201: {
            description: 'Created; open if opensAt lies in the past',
            ...json({ $ref: '#/components/schemas/CreatedPoll' }),
          },
          400: problem('malformed'),
          401: problem('unauthorised'),
          503: problem('unconfirmed'),
        },
      },
    },
    '/api/polls/{id}': {
      put: {
        operationId: 'changePoll',
        summary: 'Change a draft, or a poll that is not open yet',
        security: organiser,
        parameters: [id],
        requestBody: { required: true, ...json({ $ref: '#/components/schemas/NewPoll' }) },
        responses: {
          200: { description: 'Changed', ...json({ $ref: '#/components/schemas/CreatedPoll' }) },
          400: problem('malformed'),
          401: problem('unauthorised'),
          404: problem('unknown-poll'),
          409: problem('frozen, closed, region-in-use'),
        },
      },
    },
    '/api/polls/{id}/publish': {
      post: {
        operationId: 'publishPoll',
        summary: 'Make a draft a poll; one whose opening lies in the past opens now, for as long as it was to be open',
        security: organiser,
        parameters: [id],
        responses: {
          200: {
            description: 'Published; open if opensAt lies in the past',
            ...json({
              type: 'object',
              required: ['id', 'opensAt', 'closesAt'],
              properties: { id: { type: 'string' }, opensAt: time, closesAt: time },
            }),
          },
          401: problem('unauthorised'),
          404: problem('unknown-poll'),
          409: problem('no-draft'),
          503: problem('unconfirmed'),
        },
      },
    },
    '/api/polls/{id}/clone': {
      post: {
        operationId: 'clonePoll',
        summary: 'The next run of the same question, as a draft; its voters are listed anew',
        security: organiser,
        parameters: [id],
        responses: {
          201: { description: 'Created', ...json({ $ref: '#/components/schemas/CreatedPoll' }) },
          401: problem('unauthorised'),
          404: problem('unknown-poll'),
          409: problem('draft'),
        },
      },
    },
    '/api/polls/{id}/extend': {
      post: {
        operationId: 'extendPoll',
        summary: 'Move the close to a later time; that it was moved, and why, is public',
        security: organiser,
        parameters: [id],
        requestBody: {
          required: true,
          ...json({
            type: 'object',
            required: ['closesAt', 'reason'],
            properties: { closesAt: time, reason: { type: 'string', maxLength: 300 } },
          }),
        },
        responses: {
          200: {
            description: 'Extended: the extension is in every partition of the log',
            ...json({
              type: 'object',
              required: ['id', 'closesAt'],
              properties: { id: { type: 'string' }, closesAt: time },
            }),
          },
          400: problem('malformed'),
          401: problem('unauthorised'),
          404: problem('unknown-poll'),
          409: problem('draft, closed, not-later'),
          503: problem('unconfirmed'),
        },
      },
    },
    '/api/polls/{id}/codes': {
      post: {
        operationId: 'issueCodes',
        summary: 'Issue voter codes; shown this once',
        security: organiser,
        parameters: [id],
        requestBody: {
          required: true,
          ...json({
            type: 'object',
            required: ['count'],
            properties: { count: { type: 'integer', minimum: 1, maximum: 10_000 }, region: { type: 'string' } },
          }),
        },
        responses: {
          201: {
            description: 'The codes',
            ...json({
              type: 'object',
              required: ['codes'],
              properties: { codes: { type: 'array', items: { type: 'string' } } },
            }),
          },
          400: problem('malformed'),
          401: problem('unauthorised'),
          404: problem('unknown-poll'),
          409: problem('other-voters'),
        },
      },
    },
    '/api/polls/{id}/addresses': {
      post: {
        operationId: 'listAddresses',
        summary: 'List the addresses that may vote; kept as HMACs, so that nobody can read them out again',
        security: organiser,
        parameters: [id],
        requestBody: {
          required: true,
          ...json({
            type: 'object',
            required: ['addresses'],
            properties: {
              addresses: { type: 'array', items: { type: 'string' }, minItems: 1, maxItems: 10_000 },
              region: { type: 'string' },
            },
          }),
        },
        responses: {
          201: {
            description: 'How many of them are new',
            ...json({ type: 'object', required: ['listed'], properties: { listed: { type: 'integer' } } }),
          },
          400: problem('malformed'),
          401: problem('unauthorised'),
          404: problem('unknown-poll'),
          409: problem('other-voters'),
          413: problem('too-large'),
        },
      },
    },
    '/api/polls/{id}/close': {
      post: {
        operationId: 'closePoll',
        summary: 'Close a poll now',
        security: organiser,
        parameters: [id],
        responses: {
          200: { description: 'Closed: the close is in every partition of the log', ...json({ type: 'object' }) },
          401: problem('unauthorised'),
          404: problem('unknown-poll'),
          409: problem('draft'),
          503: problem('unconfirmed'),
        },
      },
    },
    '/api/polls/{id}/ballots': {
      post: {
        operationId: 'castBallot',
        summary: 'Cast a ballot; the same form may be sent again and counts once',
        parameters: [id],
        requestBody: { required: true, ...json({ $ref: '#/components/schemas/Ballot' }) },
        responses: {
          200: { description: 'Recorded before: the same receipt', ...json({ $ref: '#/components/schemas/Recorded' }) },
          201: { description: 'Recorded in the log', ...json({ $ref: '#/components/schemas/Recorded' }) },
          ...refusalResponses(),
          413: problem('too-large'),
          429: problem('too-many-failures'),
        },
      },
    },
    '/api/organisers': {
      post: {
        operationId: 'inviteOrganiser',
        summary:
          'Invite somebody to organise polls of their own; the link works once, for a day, and asks for a passkey',
        security: organiser,
        requestBody: {
          required: true,
          ...json({
            type: 'object',
            properties: {
              name: { type: 'string', maxLength: 100 },
              operator: { const: true, description: 'Instead of a name: the operator, whose polls this API makes' },
            },
          }),
        },
        responses: {
          201: {
            description: 'Invited',
            ...json({
              type: 'object',
              required: ['id', 'invitation', 'expiresAt'],
              properties: { id: { type: 'string' }, invitation: { type: 'string' }, expiresAt: time },
            }),
          },
          400: problem('malformed'),
          401: problem('unauthorised'),
        },
      },
    },
    '/api/receipts/{receipt}': {
      get: {
        operationId: 'getReceipt',
        summary: 'What became of a ballot',
        parameters: [{ name: 'receipt', in: 'path', required: true, schema: { type: 'string' } }],
        responses: {
          200: {
            description: 'Known',
            ...json({
              type: 'object',
              required: ['status'],
              properties: {
                status: { type: 'string', enum: ['recorded', 'counted', 'superseded', 'rejected'] },
                reason: { type: 'string' },
              },
            }),
          },
          404: problem('unknown-receipt'),
          429: problem('too-many-failures'),
        },
      },
    },
    '/openapi.json': {
      get: {
        operationId: 'getOpenapi',
        summary: 'This document',
        responses: { 200: { description: 'OpenAPI 3.1', ...json({ type: 'object' }) } },
      },
    },
  },
  components: {
    securitySchemes: { organiserToken: { type: 'http', scheme: 'bearer' } },
    schemas: {
      NewPoll: {
        type: 'object',
        required: ['title', 'options', 'opensAt', 'closesAt', 'revote'],
        properties: {
          title: { type: 'string', maxLength: 200 },
          options: {
            type: 'array',
            minItems: 2,
            maxItems: 20,
            items: {
              type: 'object',
              required: ['id', 'label'],
              properties: { id: { type: 'string' }, label: { type: 'string' } },
            },
          },
          regions: { type: 'array', items: { type: 'string' } },
          opensAt: time,
          closesAt: time,
          revote: { type: 'string', enum: ['first', 'last'] },
          electorate: { type: 'integer', minimum: 1 },
          draft: { type: 'boolean', default: false, description: 'For the organiser alone, until it is published' },
          maxChoices: { type: 'integer', minimum: 1, default: 1, description: 'How many options a ballot may name' },
          allowBlank: { type: 'boolean', default: false, description: 'Whether a ballot may name none' },
          eligibility: {
            description:
              'Who may vote: anyone with the link (such a poll is indicative), who has a code, a listed address, or a claim at the provider',
            default: { kind: 'codes' },
            oneOf: [
              {
                type: 'object',
                required: ['kind'],
                properties: { kind: { enum: ['link', 'codes', 'addresses'] } },
              },
              {
                type: 'object',
                required: ['kind', 'claim', 'value'],
                properties: { kind: { const: 'claim' }, claim: { type: 'string' }, value: { type: 'string' } },
              },
            ],
          },
          resultsVisible: {
            description: 'When results are to be seen; { from } is a number of voters',
            default: 'live',
            oneOf: [
              { enum: ['live', 'after-voting', 'after-close'] },
              { type: 'object', required: ['from'], properties: { from: { type: 'integer', minimum: 1 } } },
            ],
          },
        },
      },
      CreatedPoll: {
        type: 'object',
        required: ['id', 'slug', 'definitionHash', 'urls'],
        properties: {
          id: { type: 'string' },
          slug: { type: 'string' },
          definitionHash: { type: 'string', description: 'SHA-256 of the RFC 8785 JSON of what voters decide on' },
          urls: {
            type: 'object',
            properties: { ballot: { type: 'string' }, results: { type: 'string' }, short: { type: 'string' } },
          },
        },
      },
      Ballot: {
        type: 'object',
        required: ['code', 'nonce'],
        oneOf: [{ required: ['option'] }, { required: ['choices'] }],
        properties: {
          code: {
            type: 'string',
            description: 'The voter code; for anyone with the link 16 to 128 of A-Za-z0-9_- that the client keeps',
          },
          option: { type: 'string', description: 'The one choice' },
          choices: {
            type: 'array',
            items: { type: 'string' },
            uniqueItems: true,
            description: 'Several choices where the poll allows them; empty: a blank ballot',
          },
          nonce: {
            type: 'string',
            pattern: '^[A-Za-z0-9_-]{16,128}$',
            description: 'Names this ballot: a repeat carries the same',
          },
        },
      },
      Recorded: {
        type: 'object',
        required: ['receipt', 'status', 'recordedAt'],
        properties: { receipt: { type: 'string' }, status: { const: 'recorded' }, recordedAt: time },
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
