import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { at, Rng } from '#simulate/random.ts'
import { pairFacts, type PairFacts } from '../../../../services/analyzer/evidence/pair-facts.ts'
import { poissonUpperTail } from '../../../../services/analyzer/statistics.ts'
import { TUNING } from '../../../../services/analyzer/tuning.ts'
import {
  contextOf,
  countsOf,
  drawn,
  snapshotOf,
  strangers,
  taste,
  type AppSketch,
  type UserSketch,
} from '../../../support/snapshot-cases.ts'

const ROUTES = 16
const FAR = strangers(100, ROUTES, new Rng('far'))
const MIX = countsOf({ 0: 30, 3: 20 })

/** Facts of the first two apps, among strangers. */
function factsOf(apps: readonly AppSketch[], users: UserSketch = {}): PairFacts {
  return pairFacts(contextOf(snapshotOf([...apps, ...FAR], ROUTES, users)), 0, 1)
}
const pair = (a: Partial<AppSketch> = {}, b: Partial<AppSketch> = {}): AppSketch[] => [
  { id: 'a', on: { 'home of a': MIX }, ...a },
  { id: 'b', on: { 'home of b': MIX }, ...b },
]

describe('owners', () => {
  const owned = (a: string, b: string): Pick<PairFacts, 'isSameOwner' | 'areOwnersKnown'> => {
    const { isSameOwner, areOwnersKnown } = factsOf(pair({ more: { owner_id: a } }, { more: { owner_id: b } }))
    return { isSameOwner, areOwnersKnown }
  }

  it('that are unknown are neither one nor different', () => {
    expect(owned('', '')).toEqual({ isSameOwner: false, areOwnersKnown: false })
    expect(owned('acme', '')).toEqual({ isSameOwner: false, areOwnersKnown: false })
    expect(owned('acme', 'other')).toEqual({ isSameOwner: false, areOwnersKnown: true })
    expect(owned('acme', 'acme')).toEqual({ isSameOwner: true, areOwnersKnown: true })
  })
})

describe('users in common', () => {
  const withUsers = { user_requests: 100, users: 5 }
  const people = pair({ more: withUsers }, { more: withUsers })

  it('are counted, with the lesser share of requests for them', () => {
    const { users } = factsOf(people, { u: { a: 30, b: 20 }, v: { a: 20, b: 5 }, w: { a: 40, 'stranger-001': 2 } })
    expect(users).toMatchObject({ users: 2, share: 0.25 })
  })

  it('are expected as the degrees of users and apps give', () => {
    const users = { u: { a: 1, b: 1 }, v: { a: 1, b: 1, 'stranger-001': 1 }, w: { b: 1, 'stranger-001': 1 } }
    // Seven edges. b has three; u has one place beside a, v two.
    const expected = 1 - Math.E ** ((-3 * 1) / 7) + (1 - Math.E ** ((-3 * 2) / 7))
    const found = factsOf(people, users).users
    expect(found?.expected).toBeCloseTo(expected, 9)
    expect(found?.p).toBeCloseTo(poissonUpperTail(2, expected), 9)
  })

  it('are not those who use many apps', () => {
    const popular = Object.fromEntries(
      ['a', 'b', ...FAR.slice(0, TUNING.users.popularApps).map(({ id }) => id)].map((id) => [id, 9]),
    )
    expect(factsOf(people, { star: popular }).users).toMatchObject({ users: 0, p: 1, share: 0 })
  })

  it('cannot be told where an app acts for nobody', () => {
    expect(factsOf(pair({ more: withUsers }, { more: { user_requests: 0 } })).users).toBeUndefined()
  })
})

describe('what two apps do', () => {
  it('is compared on the networks that they have in common: borrowed keys keep lives of their own', () => {
    const rng = new Rng('borrowed')
    const [ring, ...lives] = Array.from({ length: 3 }, () => taste(ROUTES, rng))
    if (ring === undefined) throw new Error('three tastes were drawn')
    const on = (life: readonly number[], home: string): AppSketch['on'] => ({
      door: drawn(ring, 60, rng),
      [home]: drawn(life, 400, rng),
    })
    const borrowed = pair({ on: on(at(lives, 0), 'a') }, { on: on(at(lives, 1), 'b') })
    const here = factsOf(borrowed)
    expect(here.mixScope).toBe('common networks')
    expect(here.mixBits).toBeGreaterThan(3)
    const whole = factsOf(
      borrowed.map(({ id, on: places }) => ({ id, on: { [`only ${id}`]: at(Object.values(places), 1) } })),
    )
    expect(whole.mixScope).toBe('all networks')
    expect(whole.mixBits).toBeLessThan(0)
  })

  it('is not told from a few requests', () => {
    const few = countsOf({ 0: TUNING.groups.requestsMin - 4 })
    expect(factsOf(pair({ on: { x: few } }, { on: { y: few } })).mixBits).toBeUndefined()
  })

  it('gives no more bits than apps were compared with', () => {
    const rare = countsOf({ 15: 400 })
    const bits = factsOf(pair({ on: { x: rare } }, { on: { y: rare } })).mixBits
    expect(bits).toBeLessThanOrEqual(Math.log2(FAR.length + 2))
  })
})

describe('programs', () => {
  const speaking = (agent: string, others = 0): PairFacts =>
    pairFacts(
      contextOf(
        snapshotOf(
          [...pair({ agent }, { agent }), ...FAR.map((app, i) => (i < others ? { ...app, agent } : app))],
          ROUTES,
        ),
      ),
      0,
      1,
    )

  it('of the house speak, the more the fewer apps use them', () => {
    const bits = [0, 4, 20].map((others) => speaking('harvester/2.1', others).agentBits)
    expect(bits[0]).toBeCloseTo(Math.log2(102 / 2), 9)
    expect(bits.toSorted((x, y) => y - x)).toEqual(bits)
    expect(speaking('harvester/2.1').agent).toBe('harvester/2.1')
  })

  it('of many apps, and those that name a library, say nothing', () => {
    expect(speaking('harvester/2.1', TUNING.userAgents.appsMax).agentBits).toBe(0)
    expect(speaking('python-requests/2.31').agentBits).toBe(0)
    expect(factsOf(pair()).agentBits).toBe(0)
  })
})

describe('names and domains', () => {
  const called = (more: AppSketch['more'], others = 0): PairFacts =>
    pairFacts(
      contextOf(
        snapshotOf(
          [
            ...pair({ more: { ...more } }, { more: { ...more } }),
            ...FAR.map((app, i) => (i < others ? Object.assign({}, app, { more }) : app)),
          ],
          ROUTES,
        ),
      ),
      0,
      1,
    )

  it('in common speak by their rarity, and not at all when they are common property', () => {
    expect(called({ stem: 'harvester' }).stemBits).toBeCloseTo(Math.log2(51), 9)
    expect(called({ domains: ['acme.com'] }).domainBits).toBeCloseTo(Math.log2(51), 9)
    expect(called({ stem: 'harvester' }, TUNING.registry.appsMax).stemBits).toBe(0)
    expect(called({ domains: ['acme.com'] }, TUNING.registry.appsMax).domainBits).toBe(0)
  })

  it('that are empty are not in common', () => {
    expect(called({ stem: '', domains: [] })).toMatchObject({ stemBits: 0, domainBits: 0 })
  })
})

describe('facts of a pair', () => {
  it('are the same whichever app is called first', () => {
    const rng = new Rng('symmetric')
    const doors = ['p', 'q', 'r']
    const apps = Array.from({ length: 8 }, (_, i): AppSketch => {
      const on = Object.fromEntries(
        doors.filter(() => rng.chance(0.5)).map((door) => [door, drawn(taste(ROUTES, rng), 40, rng)]),
      )
      const agent = rng.chance(0.5) ? 'tool/1' : 'other/2'
      return {
        id: `app-${i}`,
        on: { ...on, [`home-${i}`]: drawn(taste(ROUTES, rng), 40, rng) },
        agent,
        more: { user_requests: 50 },
      }
    })
    const users = Object.fromEntries(
      Array.from({ length: 12 }, (_, u) => [
        `u${u}`,
        Object.fromEntries(apps.filter(() => rng.chance(0.4)).map(({ id }) => [id, 2])),
      ]),
    )
    const context = contextOf(snapshotOf([...apps, ...FAR], ROUTES, users))
    const two = fc.uniqueArray(fc.nat(7), { minLength: 2, maxLength: 2 })
    fc.assert(
      fc.property(two, ([a = 0, b = 0]) => {
        const [there, back] = [pairFacts(context, a, b), pairFacts(context, b, a)]
        expect(back.mixBits).toBeCloseTo(there.mixBits ?? Number.NaN, 9)
        expect(back.agentBits).toBeCloseTo(there.agentBits, 9)
        expect(back.users?.users).toBe(there.users?.users)
        expect(back.users?.share).toBe(there.users?.share)
        expect(back.places.map(({ place, shareA, shareB }) => [place.id, shareB, shareA])).toEqual(
          expect.arrayContaining(there.places.map(({ place, shareA, shareB }) => [place.id, shareA, shareB])),
        )
      }),
      { seed: 1 },
    )
  })

  it('of an app that is not there are an error, not a guess', () => {
    expect(() => pairFacts(contextOf(snapshotOf(FAR, ROUTES)), 0, 7000)).toThrow('unknown apps')
  })
})
