import { flowGroupMin, type FlowsDocument } from '@voting/election/analytics-events'
import type { Effect } from '../effects.ts'
import { changedBy, netChange } from './ballot-effect.ts'

export type FlowsState = Pick<FlowsDocument, 'epoch' | 'version' | 'flows'>

export const emptyFlows = (): FlowsState => ({ epoch: 0, version: 0, flows: {} })

/** A ballot that replaces one with other options. */
export const changesMind = (effect: Effect): boolean => moves(effect).length > 0

/** From each option that was given up to each that was taken instead. */
function moves(effect: Effect): readonly (readonly [from: string, to: string])[] {
  const change = netChange(effect)
  if (change === null) return []
  const { adds, removes } = change
  const given = removes.filter((option) => !adds.includes(option))
  const taken = adds.filter((option) => !removes.includes(option))
  return given.flatMap((from) => taken.map((to) => [from, to] as const))
}

export function applyToFlows(state: FlowsState, effect: Effect): FlowsState {
  let { flows } = state
  for (const [from, to] of moves(effect)) flows = { ...flows, [from]: changedBy(flows[from] ?? {}, [to], 1) }
  return { epoch: effect.epoch, version: state.version + 1, flows }
}

/** What may be known of them: groups that hide who is in them. */
export function publicFlows({ flows, ...state }: FlowsState): FlowsState {
  const large = Object.entries(flows).flatMap(([from, to]) => {
    const groups = Object.entries(to).filter(([, voters]) => voters >= flowGroupMin)
    return groups.length === 0 ? [] : [[from, Object.fromEntries(groups)] as const]
  })
  return { ...state, flows: Object.fromEntries(large) }
}
