// @ts-check
// Without scripts the page loads itself again; with them it changes quietly, and only when there is something new.
const box = document.getElementById('receipt')
const heading = document.getElementById('receipt-title')
const text = document.getElementById('receipt-text')
let waitMs = 200

async function look() {
  if (!box || !heading || !text) return
  // Without an answer it looks again a little later, as for an answer that says nothing new.
  const response = await fetch(`/api/receipts/${box.dataset.receipt}`).catch(() => null)
  const found = response?.ok ? await response.json() : null
  if (found?.status === 'counted') {
    box.className = 'receipt counted'
    heading.textContent = box.dataset.counted ?? ''
    text.textContent = box.dataset.countedText ?? ''
    return
  }
  // Anything else has a reason, which the page itself explains.
  if (found && found.status !== 'recorded') return location.reload()
  waitMs = Math.min(waitMs * 1.5, 5000)
  setTimeout(look, waitMs)
}
setTimeout(look, waitMs)
