/**
 * Rings that share nothing but time: apps that do the same and hand over to each other, decided as a whole. A pair alone has one coincidence, its
 * phase; k members that close a ring have k - 1.
 */
import type { PairLedgers } from '../evidence/ledgers.ts'
import { isRing, ringOf, type HandOver, type Spells } from '../signals/timing/hand-over.ts'
import type { Tuning } from '../tuning.ts'

/** `handOvers` and `ledgers` by `a b`. App numbers of each ring, ascending. */
export function ringDrafts(
  windowMs: number,
  spells: ReadonlyMap<number, Spells>,
  handOvers: ReadonlyMap<string, HandOver>,
  ledgers: ReadonlyMap<string, PairLedgers>,
  tuning: Tuning,
): (readonly number[])[] {
  const next = new Map<number, Set<number>>()
  const link = (from: number, to: number): void => {
    const known = next.get(from)
    if (known === undefined) next.set(from, new Set([to]))
    else known.add(to)
  }
  for (const [pair, time] of handOvers) {
    const mix = ledgers.get(pair)?.facts.mixBits ?? 0
    if (mix < tuning.spells.ringMixBits) continue
    if (time.there >= tuning.spells.hitsMin) link(time.a, time.b)
    if (time.hits - time.there >= tuning.spells.hitsMin) link(time.b, time.a)
  }
  return closedRings(next)
    .filter((apps) => apps.length <= tuning.spells.ringAppsMax)
    .filter((apps) => {
      const ring = ringOf(
        apps.flatMap((app) => spells.get(app) ?? []),
        tuning.gain.windowSeconds * 1000,
        windowMs,
        tuning,
      )
      return isRing(ring, tuning) && (apps.length > 2 || ring.hitsZ >= tuning.spells.pairZMin)
    })
}

/** Sets of apps each of which hands over to each other, at last (strongly connected components): who only follows is in none. */
function closedRings(next: ReadonlyMap<number, ReadonlySet<number>>): (readonly number[])[] {
  const reach = (from: number): Set<number> => {
    const seen = new Set<number>()
    const open = [from]
    for (let app = open.pop(); app !== undefined; app = open.pop()) {
      for (const to of next.get(app) ?? []) {
        if (seen.has(to)) continue
        seen.add(to)
        open.push(to)
      }
    }
    return seen
  }
  const reached = new Map([...next.keys()].map((app) => [app, reach(app)]))
  const done = new Set<number>()
  const rings: number[][] = []
  for (const app of [...next.keys()].toSorted((x, y) => x - y)) {
    if (done.has(app) || reached.get(app)?.has(app) !== true) continue
    const ring = [...(reached.get(app) ?? [])].filter((other) => reached.get(other)?.has(app) === true)
    for (const other of ring) done.add(other)
    if (ring.length >= 2) rings.push(ring.toSorted((x, y) => x - y))
  }
  return rings
}
