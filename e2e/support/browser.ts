import { type Browser, chromium } from 'playwright-core'
import { chromiumPath } from '../../scripts/chromium.ts'

/** Chromium without anything that would go to the internet by itself. */
export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: chromiumPath()!,
    args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  })
