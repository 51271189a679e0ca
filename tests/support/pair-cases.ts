/** Facts of pairs as the evidence gives them, for the tests of ledgers and clusters. */
import { openLedgers, measureBackground, type PairLedgers } from '../../services/analyzer/evidence/ledgers.ts'
import type { PairFacts } from '../../services/analyzer/evidence/pair-facts.ts'
import type { Place, PlaceStream } from '../../services/analyzer/run/places.ts'
import { TUNING } from '../../services/analyzer/tuning.ts'
import { countsOf } from './snapshot-cases.ts'

/** A place where so many apps run, numbered from 0. */
export function placeOf(residents: number, id = 0): Place {
  const mix = countsOf({ 0: 50 })
  const streams = Array.from({ length: residents }, (_, app): PlaceStream => ({
    app,
    place: id,
    mix,
    agents: countsOf({}),
    share: 1,
    isPersonal: false,
    networks: 1,
    users: 0,
  }))
  return { id, networks: [id], streams, residents: streams }
}

/** A pair that has nothing in common but what is given. */
export function facts(more: Partial<PairFacts> = {}): PairFacts {
  return {
    a: 0,
    b: 1,
    isSameOwner: false,
    areOwnersKnown: true,
    places: [],
    users: undefined,
    mixBits: 0,
    mixScope: 'common networks',
    agentBits: 0,
    agent: undefined,
    stemBits: 0,
    domainBits: 0,
    ...more,
  }
}

/** An accepted link: the more bits the surer. */
export function link(a: number, b: number, bits = 10): PairLedgers {
  const [first, second] = a < b ? [a, b] : [b, a]
  const timing = { handOverBits: bits, alternationBits: 0 }
  return openLedgers(
    facts({ a: first, b: second, mixBits: 5 }),
    timing,
    measureBackground([], 1, TUNING),
    100,
    false,
    new Set(),
    TUNING,
  )
}
