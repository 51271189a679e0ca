/**
 * End users' keys driven by one process (policy P5), by what its schedule shows: an even stagger, all at once off the clock, the
 * same silences, or phases that move together with every restart. Each key has one user, its owner.
 */
import { customAgent, sdkAgent } from '#simulate/agents.ts'
import { Failing, phaseAfterRestarts, type Stop } from '#simulate/downtime.ts'
import { anyUseCase, personalApp } from '#simulate/kinds.ts'
import { brandName } from '#simulate/naming.ts'
import type { Rng } from '#simulate/random.ts'
import { HOUR_MS, MINUTE_MS, SECOND_MS, shift } from '#simulate/rhythm.ts'
import { anyPeriod, anySize, differentPeople, personalKey, poller } from '#simulate/scenarios/pollers.ts'
import { type Scenario, type Staged, type Strength, violation, withheld } from '#simulate/scenarios/scenario.ts'
import { walkOf } from '#simulate/walks.ts'
import type { World } from '#simulate/world.ts'

type Style = 'stagger' | 'at_once' | 'common_fate' | 'restarts'

function keysOf(world: World, rng: Rng, strength: Strength): number {
  const count =
    strength === 'strong' ? rng.between(14, 45) : strength === 'medium' ? rng.between(9, 24) : rng.between(6, 12)
  return Math.min(90, Math.max(5, Math.round(count * world.conditions.groupScale)))
}

/** Stops of the process: several where they are all that can be seen, otherwise few or none. */
function stopsOfProcess(world: World, rng: Rng, style: Style, strength: Strength): Stop[] {
  const many = style === 'common_fate' || style === 'restarts'
  const count = many ? (strength === 'weak' ? rng.between(3, 4) : rng.between(4, 8)) : rng.between(0, 2)
  const { startMs, endMs } = world.span
  const part = (endMs - startMs) / Math.max(1, count)
  // One in each part of the day, so that they never run into each other.
  return Array.from({ length: count }, (_, index) => {
    const fromMs = startMs + part * (index + rng.range(0.1, 0.6))
    return { fromMs, toMs: fromMs + Math.min(part * 0.3, rng.lognormal(12 * MINUTE_MS, 0.5)) }
  })
}

/** Seconds by which a poll misses its time; the more hidden, the more. */
function jitterOf(rng: Rng, strength: Strength): number {
  if (strength === 'strong') return rng.range(50, 600)
  return strength === 'medium' ? rng.range(300, 2_000) : rng.range(1_000, 4_000)
}

/** The phase of key `index` of `count`, milliseconds against `baseMs`. */
function offsetOf(rng: Rng, style: Style, everyMs: number, index: number, count: number): number {
  if (style === 'stagger') return (index * everyMs) / count
  if (style === 'at_once') return (index * Math.min(everyMs * 0.05, 6 * SECOND_MS)) / count
  return rng.next() * everyMs
}

function room(world: World, rng: Rng, strength: Strength, style: Style): Staged {
  const { conditions, span } = world
  const useCase = anyUseCase(world, rng)
  const count = keysOf(world, rng, strength)
  const stops = stopsOfProcess(world, rng, style, strength)
  const everyMs = anyPeriod(rng, strength === 'weak' ? 90 : 48)
  // Half a minute past is as far from the clock as it gets.
  const baseMs = rng.below(everyMs / MINUTE_MS) * MINUTE_MS + rng.range(23, 35) * SECOND_MS
  const base =
    style === 'restarts' ? phaseAfterRestarts(rng.fork('base'), stops, baseMs, everyMs) : (): number => baseMs
  const network = new Failing(world.hosting.operated(rng, rng.size(2, 0.7, 1, 9)), stops)
  const walk = walkOf(rng, useCase, rng.between(2, 7))
  const open = strength === 'strong' ? 0.8 : strength === 'medium' ? 0.4 : 0.1
  const agent = rng.chance(open) ? customAgent(rng, brandName(rng), undefined) : sdkAgent(rng)
  const jitterMs = jitterOf(rng, strength)
  const size = anySize(rng, everyMs)
  const kept = 1 - rng.range(0, 0.06) * conditions.stumble
  const ownShare = strength === 'strong' ? 0 : strength === 'medium' ? rng.range(0, 0.2) : rng.range(0, 0.35)
  const keys = differentPeople(world, rng, count).map((person, index) => {
    const own = rng.fork(`key-${index}`)
    const app = personalKey(world, own, person, useCase, 0.4)
    const offsetMs = offsetOf(own, style, everyMs, index, count)
    const perDay = (size * 24 * HOUR_MS) / everyMs
    const actors = [
      poller(world, own, {
        app,
        person,
        network,
        agent: own.chance(conditions.agentHabit) ? agent : sdkAgent(own),
        walk: walk.jittered(own.fork('walk'), conditions.mixJitter),
        everyMs,
        phaseMs: (nowMs) => base(nowMs) + offsetMs,
        jitterMs,
        size,
        kept,
      }),
    ]
    if (ownShare === 0) return { app, actors }
    const curve = shift(person.country.offsetHours, own.range(0, 12), own.range(8, 20))
    const life = { app, person, perDay: (perDay * ownShare) / (1 - ownShare), elastic: false, curve }
    return { app, actors: [...actors, ...personalApp(world, own.fork('own'), life).actors] }
  })
  // Two hours of polls show a stagger; silences and restarts have to happen first.
  const shown =
    style === 'common_fate' || style === 'restarts' ? (stops[2]?.toMs ?? span.endMs) : span.startMs + 2 * HOUR_MS
  return {
    apps: keys.map(({ app }) => app),
    actors: keys.flatMap(({ actors }) => actors),
    policy: ['end_user_supplied_keys'],
    evidentAtMs: shown,
  }
}

export const MACHINE_ROOM: readonly Scenario[] = [
  violation(
    'polled_keys_stagger',
    "end users' keys polled one after another, evenly staggered",
    (world, rng, strength) => room(world, rng, strength, 'stagger'),
  ),
  violation('polled_keys_at_once', "end users' keys polled all at once, off the clock", (world, rng, strength) =>
    room(world, rng, strength, 'at_once'),
  ),
  violation('polled_keys_common_fate', "end users' keys that fall silent together", (world, rng, strength) =>
    room(world, rng, strength, 'common_fate'),
  ),
  // Held out: the same room by another trace. Who was tuned to stagger and silences alone will miss it.
  ...withheld([
    violation('polled_keys_restarts', "end users' keys whose phases move together", (world, rng, strength) =>
      room(world, rng, strength, 'restarts'),
    ),
  ]),
]
