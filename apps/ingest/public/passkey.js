// @ts-check
// Asks the browser for a passkey. The library before this, SimpleWebAuthn, speaks WebAuthn; here is only what follows.
const box = document.getElementById('passkey')
const button = document.getElementById('passkey-button')
const problem = document.getElementById('passkey-problem')
/** @type {any} */
const { startAuthentication, startRegistration } = /** @type {any} */ (globalThis).SimpleWebAuthnBrowser

/** An invitation's secret is behind the #, which browsers send nowhere; it leaves the address bar at once. */
const invitation = location.hash.slice(1)
if (box?.dataset.step === 'join' && invitation) history.replaceState(null, '', location.pathname)

/** @param {string} path @param {object} body */
async function post(path, body) {
  const response = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const answer = await response.json().catch(() => ({}))
  if (!response.ok) throw new Error(answer.title ?? box?.dataset.impossible)
  return answer
}

async function useOne() {
  const optionsJSON = await post('/organiser/session/passkey/options', {})
  const response = await startAuthentication({ optionsJSON })
  return post('/organiser/session/passkey', { response })
}

async function addOne() {
  const proof = box?.dataset.step === 'join' ? { invitation } : { form_token: box?.dataset.formToken }
  const optionsJSON = await post('/organiser/passkeys/options', proof)
  const response = await startRegistration({ optionsJSON })
  return post('/organiser/passkeys', { ...proof, response })
}

async function onClick() {
  if (!problem || !(button instanceof HTMLButtonElement)) return
  button.disabled = true
  problem.textContent = ''
  try {
    const { location: next } = await (box?.dataset.step === 'sign-in' ? useOne() : addOne())
    location.assign(next)
  } catch (error) {
    const { name, message } = /** @type {Error} */ (error)
    // Browsers say this for whoever closes the dialog, and when there is no passkey for this site.
    problem.textContent = name === 'NotAllowedError' ? (box?.dataset.unused ?? '') : message
    button.disabled = false
  }
}
button?.addEventListener('click', () => void onClick())
