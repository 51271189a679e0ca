import { describe, expect, it } from 'vitest'
import { Rng } from '#simulate/random.ts'
import { commonTraffic, standing, type Standing } from '../../../../services/analyzer/judgement/standing.ts'
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

const ROUTES = 20
const RNG = new Rng('standing')
const RING_TASTE = taste(ROUTES, RNG)
const OWN_TASTE = taste(ROUTES, RNG)
const FAR = strangers(100, ROUTES, new Rng('far'))

/** Keys of a ring on two servers; each of an owner of its own. */
const RING = Array.from({ length: 6 }, (_, i): AppSketch => ({
  id: `key-${i}`,
  on: { server: drawn(RING_TASTE, 60, RNG), second: drawn(RING_TASTE, 40, RNG) },
}))
/** People whom all keys of the ring act for, and the framed one too. */
const people = (ids: readonly string[]): UserSketch =>
  Object.fromEntries(['u', 'v', 'w'].map((user) => [user, Object.fromEntries(ids.map((id) => [id, 5]))]))
const ringIds = RING.map(({ id }) => id)

function stand(last: AppSketch, users: UserSketch = {}, areLent = false): Standing {
  const snapshot = snapshotOf([...RING, last, ...FAR], ROUTES, users)
  return standing(contextOf(snapshot), { apps: [0, 1, 2, 3, 4, 5, 6], groups: [], links: [] }, areLent)
}
const LIFE = { 'own server': drawn(OWN_TASTE, 300, RNG) } as const
const EVERYBODY = { members: [0, 1, 2, 3, 4, 5, 6], victims: [] } as const
const WITHOUT_LAST = { members: [0, 1, 2, 3, 4, 5], victims: [6] } as const

describe('a member stands on what binds the others', () => {
  it('and stays', () => {
    const ids = [...ringIds, 'late']
    expect(stand({ id: 'late', on: { server: drawn(RING_TASTE, 60, RNG) } }, people(ids))).toEqual(EVERYBODY)
  })

  it('or is framed: users in common, but nothing of its traffic from the ring’s servers', () => {
    expect(stand({ id: 'rival', on: LIFE }, people([...ringIds, 'rival']))).toEqual(WITHOUT_LAST)
  })

  it('or moved in beside the ring: its server, none of its people', () => {
    expect(stand({ id: 'tenant', on: { server: drawn(OWN_TASTE, 60, RNG) } }, people(ringIds))).toEqual(WITHOUT_LAST)
  })

  it('but whose account has another app in the ring is no victim of it', () => {
    const owned = { id: 'sister', on: LIFE, more: { owner_id: 'owner-key-0' } }
    const sister = stand(owned, people([...ringIds, 'sister']))
    expect(sister.victims).toEqual([])
  })
})

describe('a stolen key', () => {
  const stolen = { id: 'stolen', on: { server: drawn(RING_TASTE, 60, RNG), ...LIFE } }

  it('is used from the ring’s servers unlike its own life, and its owner is the victim', () => {
    expect(stand(stolen)).toEqual(WITHOUT_LAST)
  })

  it('is none when it lives as it is used here', () => {
    const same = { id: 'wide', on: { server: drawn(RING_TASTE, 60, RNG), 'own server': drawn(RING_TASTE, 300, RNG) } }
    expect(stand(same)).toEqual(EVERYBODY)
  })

  it('is none where lending keys is the arrangement', () => {
    expect(stand(stolen, {}, true)).toEqual(EVERYBODY)
  })
})

describe('standing', () => {
  it('drops nobody when nearly nobody would be left', () => {
    const lone = Array.from({ length: 3 }, (_, i): AppSketch => ({
      id: `lone-${i}`,
      on: { [`home-${i}`]: countsOf({ 0: 50 }) },
    }))
    const context = contextOf(snapshotOf([...lone, ...FAR], ROUTES))
    expect(standing(context, { apps: [0, 1, 2], groups: [], links: [] }, false)).toEqual({
      members: [0, 1, 2],
      victims: [],
    })
    expect(standing(context, { apps: [], groups: [], links: [] }, false)).toEqual({ members: [], victims: [] })
  })

  it('counts the share of traffic from places where two others run, as by hand', () => {
    const on = (cells: Readonly<Record<string, number>>): AppSketch['on'] =>
      Object.fromEntries(Object.entries(cells).map(([network, n]) => [network, countsOf({ 0: n })]))
    const apps = [
      { id: 'a', on: on({ door: 20, home: 60, pair: 20 }) },
      { id: 'b', on: on({ door: 50, pair: 50 }) },
      { id: 'c', on: on({ door: 10 }) },
      { id: 'd', on: on({ door: 10 }) },
      { id: 'e', on: on({ door: 10 }) },
    ]
    const context = contextOf(snapshotOf(apps, 1))
    expect([...commonTraffic(context, [0, 1, 2])]).toEqual([
      [0, 0.2],
      [1, 0.5],
      [2, 1],
    ])
  })
})
