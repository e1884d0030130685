/** `host:port`, as other instances reach it; an IPv6 address in brackets. Nothing else: it becomes part of a URL. */
export function isEndpoint(value: unknown): value is string {
  if (typeof value !== 'string') return false
  const found = /^(?:[a-zA-Z0-9_](?:[a-zA-Z0-9._-]{0,252})|\[[0-9a-fA-F:.]{2,45}\]):(\d{1,5})$/.exec(value)
  return found !== null && Number(found[1]) > 0 && Number(found[1]) < 65_536
}
