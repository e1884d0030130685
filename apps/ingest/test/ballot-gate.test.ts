import { expect, test } from 'vitest'
import { BallotGate } from '../src/ballot-gate.ts'

/** Answers one ballot after the other in the order they came, while there are always more who want one. */
class Server {
  nowMs = 0
  readonly gate: BallotGate
  readonly #inside: { readonly leave: (answer: 'recorded') => void; readonly sinceMs: number }[] = []

  constructor(underWayMax = 5000) {
    this.gate = new BallotGate({ waitMs: 2000, underWayMax, nowMs: () => this.nowMs })
  }

  /** Each answer takes so long; resolves with how long the one waited who waited longest. */
  run(ballotMs: number, seconds: number): number {
    let longestMs = 0
    for (const endMs = this.nowMs + seconds * 1000; this.nowMs < endMs;) {
      for (let leave = this.gate.enter(); leave !== null; leave = this.gate.enter()) {
        this.#inside.push({ leave, sinceMs: this.nowMs })
      }
      const { leave, sinceMs } = this.#inside.shift()!
      this.nowMs += ballotMs
      longestMs = Math.max(longestMs, this.nowMs - sinceMs)
      leave('recorded')
    }
    return longestMs
  }
}

test('no more are taken than are answered in time, however slow the answers come', () => {
  for (const ballotMs of [5, 10, 20]) {
    const server = new Server()
    server.run(ballotMs, 60)
    expect(server.run(ballotMs, 10)).toBeLessThan(2500)
    expect(server.gate.limit).toBeGreaterThan(1000 / ballotMs) // and not far fewer than would do
  }
})

test('the first who come, before anything is known, do not wait without end', () => {
  // 1,000 at once, of whom a hundred are answered in a second.
  expect(new Server().run(10, 20)).toBeLessThanOrEqual(10_000)
})

test('where answers come fast more are taken, up to the bound', () => {
  const server = new Server(1200)
  server.run(0.5, 20)
  expect(server.gate.limit).toBe(1200)
})

test('what a slow time has taught is unlearned when it is over', () => {
  const server = new Server()
  server.run(50, 60)
  expect(server.gate.limit).toBeLessThan(70)
  server.run(1, 20)
  expect(server.gate.limit).toBeGreaterThan(900)
})

test('one who waits long, and many who are refused at a glance, say little of how many can be taken', () => {
  let nowMs = 0
  const gate = new BallotGate({ waitMs: 2000, underWayMax: 5000, nowMs: () => nowMs })
  const leave = gate.enter()!
  nowMs += 8000
  leave('recorded')
  const { limit } = gate
  expect(limit).toBeGreaterThan(960)
  const inside = Array.from({ length: limit }, () => gate.enter()!)
  expect(gate.enter()).toBeNull()
  for (const each of inside) each('refused')
  expect(gate).toMatchObject({ limit, underWay: 0, isFull: false })
})
