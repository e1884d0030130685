// @ts-check
// The page also refreshes by itself; this only makes it quicker and quieter.
const box = document.getElementById('receipt')
const words = {
  counted: ['Counted', 'The result includes your ballot.'],
  superseded: ['Replaced', 'A later ballot with the same code was counted instead of this one.'],
  rejected: ['Not counted', 'Your ballot was recorded but could not be counted.'],
}

async function look() {
  if (!box || box.dataset.status !== 'recorded') return
  const response = await fetch(`/api/receipts/${box.dataset.receipt}`).catch(() => null)
  const found = response?.ok ? await response.json() : null
  const word = found && words[/** @type {keyof typeof words} */ (found.status)]
  if (!word) {
    setTimeout(look, 500)
    return
  }
  box.dataset.status = found.status
  box.className = `receipt ${found.status}`
  const [title, text] = word
  const [heading, paragraph] = [document.getElementById('receipt-title'), document.getElementById('receipt-text')]
  if (heading) heading.textContent = title
  if (paragraph) paragraph.textContent = text
}
setTimeout(look, 200)
