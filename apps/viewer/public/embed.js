// @ts-check
import { openPage } from './page.js'

openPage({})

// The page around it may be as tall as it is: nothing else is said to it.
new ResizeObserver(() => {
  if (parent !== window)
    parent.postMessage({ type: 'tally:height', height: document.documentElement.offsetHeight }, '*')
}).observe(document.documentElement)
