/** How a cluster shares its work out over its apps, from the order of its requests. */
import type { RequestTimes } from '../../run/request-times.ts'
import { poissonUpperTail } from '../../statistics.ts'
import type { Tuning } from '../../tuning.ts'
import { alternates, alternation, isInTurn, type Alternation } from './alternation.ts'
import type { Ring } from './hand-over.ts'

export type Mode = 'unknown' | 'round_robin' | 'random' | 'failover' | 'time_slice' | 'sticky'

export interface Failover {
  /** First refusals after which another app began within half a minute, of `refusals`. */
  readonly followed: number
  readonly refusals: number
  /** How many the other apps' own rate of beginnings gives. */
  readonly expected: number
  readonly p: number
}

const ONSET_MS = 30_000
const SILENCE_MS = 60_000

/** Beginnings: requests after a minute of silence. */
function onsetsOf(times: readonly number[]): number[] {
  return times.filter((time, i) => i === 0 || time - (times[i - 1] ?? 0) > SILENCE_MS)
}

function within(sorted: readonly number[], from: number, to: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? 0) < from) low = middle + 1
    else high = middle
  }
  let count = 0
  while ((sorted[low + count] ?? Number.POSITIVE_INFINITY) < to) count += 1
  return count
}

/**
 * Failover: another app begins right after an app's first refusal in a limit window. Control: the same apps' beginnings within an hour around
 * each refusal, as a rate.
 */
export function failover(members: readonly RequestTimes[], limitWindowMs: number): Failover {
  const onsets = members.map(({ times }) => onsetsOf(times))
  let followed = 0
  let refusals = 0
  let expected = 0
  for (const [i, { times, refusals: refused }] of members.entries()) {
    let before = Number.NEGATIVE_INFINITY
    for (const [k, time] of times.entries()) {
      if (refused[k] !== 1) continue
      const isFirst = Math.floor(time / limitWindowMs) !== Math.floor(before / limitWindowMs)
      before = time
      if (!isFirst) continue
      refusals += 1
      let rate = 0
      let isFollowed = false
      for (const [j, own] of onsets.entries()) {
        if (i === j) continue
        rate += within(own, time - 1_800_000, time + 1_800_000) / 3_600_000
        isFollowed ||= within(own, time, time + ONSET_MS) > 0
      }
      expected += 1 - Math.exp(-rate * ONSET_MS)
      if (isFollowed) followed += 1
    }
  }
  return { followed, refusals, expected, p: poissonUpperTail(followed, Math.max(expected, 0.1)) }
}

export interface ModeEvidence {
  readonly mode: Mode
  readonly alternation: Alternation
  readonly failover: Failover
  /** In turn because of one another, and not by chance of pace. */
  readonly isAlternating: boolean
}

/** The mode of a cluster, with what says so. `partitionedUsers`: many users, each in one of the apps. */
export function modeOf(
  members: readonly RequestTimes[],
  ring: Ring | undefined,
  isRing: boolean,
  partitionedUsers: boolean,
  limitWindowMs: number,
  windowMs: number,
  tuning: Tuning,
): ModeEvidence {
  const timesByKey = members.map(({ times }) => times)
  const order = alternation(timesByKey, tuning)
  const isAlternating = alternates(timesByKey, order, limitWindowMs, windowMs, tuning)
  const after = failover(members, limitWindowMs)
  const evidence = { alternation: order, failover: after, isAlternating }
  if (isInTurn(order, tuning)) {
    return { mode: order.roundShare >= tuning.alternation.roundMin ? 'round_robin' : 'random', ...evidence }
  }
  if (after.followed >= tuning.spells.hitsMin && after.p < tuning.alternation.failoverP)
    return { mode: 'failover', ...evidence }
  if (ring !== undefined && isRing) return { mode: 'time_slice', ...evidence }
  if (partitionedUsers) return { mode: 'sticky', ...evidence }
  return { mode: 'unknown', ...evidence }
}
