/** One job spread over several keys by each known rule (policy P1-P3). */
import type { Rng } from '#simulate/random.ts'
import { MINUTE_MS, WINDOW_MS } from '#simulate/rhythm.ts'
import { failover, quotaSlices, randomRotation, roundRobin, sticky, timeSlices } from '#simulate/rings.ts'
import { operate, type Scheme } from '#simulate/scenarios/operator.ts'
import { type Scenario, type Strength, violation } from '#simulate/scenarios/scenario.ts'

function eitherOwners(rng: Rng): 'one' | 'many' {
  return rng.chance(0.5) ? 'one' : 'many'
}

/** Turns skipped by a round robin, 0..1: several workers, restarts, requests outside the rotation. */
function slipOf(rng: Rng, strength: Strength): number {
  return strength === 'strong' ? 0 : strength === 'medium' ? rng.range(0, 0.1) : rng.range(0.1, 0.35)
}

function turns(strength: Strength): Scheme['ring'] {
  return (rng, count) => roundRobin(rng, count, slipOf(rng, strength))
}

/** Parts of each limit window by the clock, or moving on when a key is nearly used up. */
const slices: Scheme['ring'] = (rng, count, quota) => {
  if (rng.chance(0.6)) return timeSlices(count, rng.chance(0.7) ? WINDOW_MS : rng.pick([5, 6, 10, 12]) * MINUTE_MS, 0)
  const share = rng.range(0.85, 1)
  return quotaSlices(count, (route) => Math.floor(quota(route) * share))
}

/** How fast the next key takes over: at once when open, many seconds later when hidden; median milliseconds. */
function switchMsOf(rng: Rng, strength: Strength): number {
  return strength === 'strong'
    ? rng.range(100, 900)
    : strength === 'medium'
      ? rng.range(500, 4_000)
      : rng.range(4_000, 20_000)
}

export const ROTATION: readonly Scenario[] = [
  violation(
    'round_robin_single_owner',
    'one owner sends one job through several keys in turn',
    (world, rng, strength) =>
      operate(world, rng, strength, { owners: 'one', temper: 'give_up', ring: turns(strength) }),
  ),
  violation(
    'round_robin_multiple_owners',
    'the same, the keys registered to several accounts',
    (world, rng, strength) =>
      operate(world, rng, strength, {
        owners: 'many',
        temper: rng.pick(['give_up', 'back_off']),
        ring: turns(strength),
      }),
  ),
  violation('random_rotation', 'a random key for each request', (world, rng, strength) =>
    operate(world, rng, strength, {
      owners: eitherOwners(rng),
      temper: rng.pick(['give_up', 'back_off', 'other_key']),
      ring: (own, count) => randomRotation(own, count),
    }),
  ),
  violation('failover_on_429', 'the next key starts when the one before is refused', (world, rng, strength) =>
    operate(world, rng, strength, {
      owners: eitherOwners(rng),
      temper: 'other_key',
      ring: (_own, count) => failover(count),
      gainPerKey: [0.75, 1.1],
      switchMs: switchMsOf(rng, strength),
    }),
  ),
  violation('time_slicing', 'each key has its part of every limit window', (world, rng, strength) =>
    operate(world, rng, strength, {
      owners: eitherOwners(rng),
      temper: 'give_up',
      ring: slices,
      gainPerKey: [0.55, 0.95],
    }),
  ),
  violation('sticky_sessions', 'each session of a job keeps one key, the next takes another', (world, rng, strength) =>
    operate(world, rng, strength, {
      owners: eitherOwners(rng),
      temper: rng.pick(['give_up', 'back_off']),
      ring: (own, count) => sticky(own, count, own.range(8, 80), own.between(1, 6)),
    }),
  ),
]
