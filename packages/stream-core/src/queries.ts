/** Queries over HTTP: a request listener that answers for every key of a store, whichever instance it is on. */
export { queryRouter, type QueryRouter } from './query-router/query-router.ts'
export type { QueryRouterOptions, ServedStore } from './query-router/router-options.ts'
