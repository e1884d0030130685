import type { FastifyRequest } from 'fastify'

/** The fields of a form that are texts; a list's, or what is none, is an empty one. */
export function formFields(request: FastifyRequest): Record<string, string> {
  const body = (typeof request.body === 'object' && request.body !== null ? request.body : {}) as Record<
    string,
    unknown
  >
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, typeof value === 'string' ? value : '']))
}
