/** Preloaded by contestants: who imports the sources of stream-core gets what was compiled of them (as-published.ts). */
import { registerHooks } from 'node:module'

const sources = '/packages/stream-core/src/'

registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context)
    if (!found.url.includes(sources)) return found
    return { ...found, url: found.url.replace(sources, '/packages/stream-core/dist/lib/').replace(/\.ts$/, '.js') }
  },
})
