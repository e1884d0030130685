// @ts-check

/**
 * The address names what is shown, so that it can be handed on; so do the links and forms of the page that lead to the same
 * one: what was chosen here is not lost in another language or order.
 *
 * @param {Record<string, string | null>} parameters null: as it is by itself
 */
export function noteView(parameters) {
  const url = new URL(location.href)
  setAll(url, parameters)
  history.replaceState(null, '', url)
  /** @type {NodeListOf<HTMLAnchorElement>} */
  const links = document.querySelectorAll('a[href]')
  for (const link of links) {
    const to = new URL(link.href)
    if (to.origin !== url.origin || to.pathname !== url.pathname || to.hash !== '') continue
    setAll(to, parameters)
    link.href = to.href
  }
  for (const form of document.forms) {
    if (form.method !== 'get') continue
    for (const [name, value] of Object.entries(parameters)) {
      form.querySelector(`input[type=hidden][name=${name}]`)?.remove()
      if (value === null) continue
      const input = document.createElement('input')
      Object.assign(input, { type: 'hidden', name, value })
      form.append(input)
    }
  }
}

/** @param {URL} url @param {Record<string, string | null>} parameters */
function setAll(url, parameters) {
  for (const [name, value] of Object.entries(parameters)) {
    if (value === null) url.searchParams.delete(name)
    else url.searchParams.set(name, value)
  }
}
