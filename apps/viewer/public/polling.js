// @ts-check
const everyMs = 5000
const jitterMs = 1000

/**
 * Results by HTTP, in the shape of a snapshot of `tally.v1`: for places where WebSockets do not get through.
 *
 * @param {{ poll: string, receipt?: string, res?: () => string, since: () => number, onSnapshot: (frame: any) => void,
 *   onFailure: () => void }} options
 */
export function createPolling({ poll, receipt, res, since, onSnapshot, onFailure }) {
  /** Changes with every start and stop: an answer that comes later than that is not wanted any more. */
  let turn = 0
  let isOn = false
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer

  /** @param {string} path */
  async function get(path) {
    const voter = receipt ? `${path.includes('?') ? '&' : '?'}receipt=${encodeURIComponent(receipt)}` : ''
    const response = await fetch(`/api/polls/${encodeURIComponent(poll)}/${path}${voter}`)
    if (!response.ok) throw new Error(`status ${response.status}`)
    return { body: await response.json(), nowMs: Date.parse(response.headers.get('date') ?? '') || Date.now() }
  }

  async function look() {
    const mine = ++turn
    const trendPath = res && `trends?window=${res()}&from=${new Date(since()).toISOString()}`
    try {
      const [result, trend] = await Promise.all([get('results'), trendPath && get(trendPath)])
      if (mine === turn) onSnapshot(snapshotOf(result, trend?.body))
    } catch {
      if (mine === turn) onFailure()
    }
    if (mine === turn) timer = setTimeout(look, everyMs + Math.random() * jitterMs)
  }

  return {
    isOn: () => isOn,
    start() {
      if (isOn) return
      isOn = true
      void look()
    },
    /** Another trend is wanted: at once, if it is on. */
    again() {
      clearTimeout(timer)
      if (isOn) void look()
    },
    stop() {
      isOn = false
      turn++
      clearTimeout(timer)
    },
  }
}

/** @param {{ body: any, nowMs: number }} result @param {any} trend */
function snapshotOf({ body, nowMs }, trend) {
  const { epoch, version: ver, status, voters, regions, accounting } = body
  const { recorded, accepted, superseded, rejected, duplicates } = accounting
  const starts = trend?.start.map(Date.parse) ?? []
  const o = Object.entries(body.totals)
  return {
    t: 'snap',
    hidden: body.hidden,
    epoch,
    ver,
    status,
    voters,
    regions,
    blank: body.blank,
    rej: body.rejections,
    o,
    asOf: body.asOf && Date.parse(body.asOf),
    now: nowMs,
    closes: Date.parse(body.closesAt),
    acc: [recorded, accepted, superseded, rejected, duplicates],
    trend: trend && {
      res: trend.window,
      t0: starts[0] ?? null,
      step: starts.length > 1 ? starts[1] - starts[0] : 0,
      cols: o.map(([id]) => trend.counts[id] ?? []),
    },
  }
}
