import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Color,
  differenceCiede2000,
  filterDeficiencyDeuter,
  filterDeficiencyProt,
  filterDeficiencyTrit,
  formatHex,
  parse,
  wcagContrast,
} from 'culori'
import { expect, test } from 'vitest'

const css = readFileSync(join(import.meta.dirname, '../public/results.css'), 'utf8')

/** The custom properties of the first rule, and of the one for dark schemes. */
function variables(scheme: 'light' | 'dark'): Map<string, string> {
  const light = /^:root \{(.*?)^\}/ms.exec(css)![1]!
  const dark = /prefers-color-scheme: dark\) \{\s*:root \{(.*?)\}/s.exec(css)![1]!
  const text = scheme === 'light' ? light : dark
  return new Map([...text.matchAll(/--(\w+): (#[0-9a-f]{6});/g)].map(([, name, value]) => [name!, value!]))
}

const eyes = {
  full: (color: Color) => color,
  protan: filterDeficiencyProt(1),
  deutan: filterDeficiencyDeuter(1),
  tritan: filterDeficiencyTrit(1),
}
const difference = differenceCiede2000()

test.each(['light', 'dark'] as const)('every text of the %s scheme has enough contrast on every ground', (scheme) => {
  const colors = variables(scheme)
  for (const ground of ['ground', 'raised']) {
    for (const text of ['ink', 'muted', 'accent', 'good', 'wait']) {
      const contrast = wcagContrast(colors.get(text)!, colors.get(ground)!)
      expect([text, ground, contrast >= 4.5]).toEqual([text, ground, true])
    }
  }
  // Buttons and chips are filled with these.
  expect(wcagContrast(colors.get('ground')!, colors.get('accent')!)).toBeGreaterThanOrEqual(4.5)
})

test.each(['light', 'dark'] as const)(
  'the lines of the %s scheme stand out from the ground, and from each other for every eye',
  (scheme) => {
    const colors = variables(scheme)
    const lines = Array.from({ length: 6 }, (_, i) => parse(colors.get(`c${i}`)!)!)
    for (const line of lines) {
      for (const ground of ['ground', 'raised']) {
        const contrast = wcagContrast(line, colors.get(ground)!)
        expect([formatHex(line), ground, contrast >= 3]).toEqual([formatHex(line), ground, true])
      }
    }
    for (const [eye, seenBy] of Object.entries(eyes)) {
      for (const [i, one] of lines.entries()) {
        for (const other of lines.slice(i + 1)) {
          const apart = difference(seenBy(one), seenBy(other))
          const pair = [eye, formatHex(one), formatHex(other)]
          expect([...pair, apart >= 19]).toEqual([...pair, true])
        }
      }
    }
  },
)
