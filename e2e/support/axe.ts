import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { expect } from 'vitest'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface Violation {
  readonly id: string
  readonly impact: string
  readonly nodes: readonly { readonly target: readonly string[] }[]
}

/** What axe finds serious or critical on the page as it is now, as `rule: elements`. */
export async function seriousViolations(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  const { violations } = await page.evaluate<{ violations: Violation[] }>('axe.run({ resultTypes: ["violations"] })')
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`)
}

const schemes = [
  { lang: 'en', colorScheme: 'light', width: 360 },
  { lang: 'ar', colorScheme: 'dark', width: 1440 },
] as const

/**
 * Looks at pages in both languages, one of them light and narrow, the other dark and wide, and with everything unfolded:
 * nothing serious may be found on any, and none may be wider than its window, whichever of the two that is.
 */
export async function expectSoundPages(
  browser: Browser,
  addresses: readonly string[],
  cookies: Parameters<BrowserContext['addCookies']>[0] = [],
): Promise<void> {
  for (const { lang, colorScheme, width } of schemes) {
    const context = await browser.newContext({ colorScheme, viewport: { width, height: 740 } })
    await context.addCookies(cookies)
    const page = await context.newPage()
    for (const address of addresses) {
      const url = new URL(address)
      url.searchParams.set('lang', lang)
      await page.goto(url.href)
      expect(new URL(page.url()).pathname).toBe(url.pathname)
      await expectSoundPage(page, lang)
    }
    await context.close()
  }
}

/** The page as it is now: what a form was answered, for one. */
export async function expectSoundPage(page: Page, lang: 'en' | 'ar'): Promise<void> {
  const where = new URL(page.url()).pathname
  await page.evaluate('for (const details of document.querySelectorAll("details")) details.open = true')
  expect([where, await page.getAttribute('html', 'lang')]).toEqual([where, lang])
  expect([where, lang, await seriousViolations(page)]).toEqual([where, lang, []])
  for (const width of [360, 1440]) {
    await page.setViewportSize({ width, height: 740 })
    // A chart is drawn anew for another width a moment later.
    const overflow = () => page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')
    await expect.poll(overflow, { message: `${where} ${lang} at ${width}` }).toBe(0)
  }
}
