import { renderSVG } from 'uqr'
import { Html } from './pages/html.ts'

/** A QR code as an SVG image, dark on white whatever the page's colours are: cameras want it so. */
export const qrCode = (text: string, label: string): Html => {
  const svg = renderSVG(text, { ecc: 'M', border: 2, pixelSize: 4 })
  const safe = label.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
  return new Html(svg.replace('<svg ', `<svg role="img" aria-label="${safe}" class="qr" `))
}
