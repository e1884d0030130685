// @ts-check
// A printed link brings the code behind its #, which browsers send nowhere. It goes into the form and out of the address bar.
const field = document.getElementById('code')
const code = decodeURIComponent(location.hash.slice(1))
if (field instanceof HTMLInputElement && /^[0-9A-Za-z-]{20,40}$/.test(code)) {
  if (field.value === '') field.value = code
  history.replaceState(null, '', location.pathname)
}
