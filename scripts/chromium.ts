import { existsSync } from 'node:fs'

/** Where a Chromium or Chrome is, or null. `CHROMIUM` names one. */
export function chromiumPath(): string | null {
  const candidates = [
    process.env['CHROMIUM'],
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
  ]
  return candidates.find((path) => path !== undefined && path !== '' && existsSync(path)) ?? null
}
