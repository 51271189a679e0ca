import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { components } from '../../../../evaluate/peers/groups.ts'
import { evilCohort } from '../../../../evaluate/peers/evil-cohort.ts'
import {
  commonObjectPairs,
  jaccardPairs,
  mergeIncidence,
  tfIdfCosinePairs,
} from '../../../../evaluate/peers/incidence.ts'
import { PEERS } from '../../../../evaluate/peers/index.ts'
import { sharedAddresses } from '../../../../evaluate/peers/jaccard.ts'
import type { Peer, PeerTraffic } from '../../../../evaluate/peers/peer.ts'
import { synchroTrap } from '../../../../evaluate/peers/synchrotrap.ts'
import { tfIdfCosine } from '../../../../evaluate/peers/tf-idf.ts'
import { commonObjects, cosine, jaccard, reachable, tables, touching } from '../../../support/peer-oracle.ts'

/** Traffic in which nothing is said but `given`. */
function traffic(given: Partial<PeerTraffic>): PeerTraffic {
  return { networks: [], routes: [], userAgents: [], actions: [], ...given }
}

/** The groups at one setting, each as one word: 'abc'. */
function groupsAt(peer: Peer, setting: string, given: Partial<PeerTraffic>): string[] | undefined {
  const answer = peer.sweep(traffic(given)).find((one) => one.setting === setting)
  return answer?.groups.map((group) => group.toSorted().join('')).toSorted()
}

describe('pairs are those of the plain oracle', () => {
  const rows = (edges: readonly { a: string; b: string; weight: number }[]) =>
    edges.map(({ a, b, weight }) => `${a}${b} ${weight.toFixed(9)}`).toSorted()
  const expected = (pairs: readonly { a: string; b: string; value: number }[], min: number) =>
    pairs.flatMap(({ a, b, value }) => (value >= min ? [`${a}${b} ${value.toFixed(9)}`] : [])).toSorted()

  test('common objects, Jaccard index and TF-IDF cosine', () => {
    fc.assert(
      fc.property(tables, (table) => {
        expect(rows(commonObjectPairs(table, 2))).toEqual(expected(commonObjects(table), 2))
        expect(rows(jaccardPairs(table, 0.25))).toEqual(expected(jaccard(table), 0.25))
        expect(rows(tfIdfCosinePairs(table, 0.001))).toEqual(expected(cosine(table), 0.001))
      }),
      { numRuns: 1000, seed: 11 },
    )
  })

  test('components are whoever can be reached', () => {
    const edge = fc.record({
      a: fc.constantFrom(...Array.from('abcdefghij')),
      b: fc.constantFrom(...Array.from('klmnabcd')),
      weight: fc.constant(1),
    })
    fc.assert(
      fc.property(fc.array(edge, { maxLength: 12 }), (edges) => {
        const real = edges.filter(({ a, b }) => a !== b)
        expect(components(edges)).toEqual(reachable(real))
      }),
      { numRuns: 1000, seed: 12 },
    )
  })

  test('an object of two tables is two objects', () => {
    const merged = mergeIncidence({ route: touching({ a: 'x' }), network: touching({ a: 'xx', b: 'x' }) })
    expect(merged).toEqual([
      { app_id: 'a', objects: ['route x', 'network x'], requests: [1, 2] },
      { app_id: 'b', objects: ['network x'], requests: [1] },
    ])
  })
})

describe('shared addresses', () => {
  const networks = touching({ a: 'pqr', b: 'qrs', c: 'sz', d: 'y', e: 'y' })

  test('a chain of overlaps is one group at a low threshold and falls apart at a high one', () => {
    // a and b share 2 of 4, b and c 1 of 4, d and e everything.
    expect(groupsAt(sharedAddresses, 'Jaccard >= 0.2', { networks })).toEqual(['abc', 'de'])
    expect(groupsAt(sharedAddresses, 'Jaccard >= 0.5', { networks })).toEqual(['ab', 'de'])
    expect(groupsAt(sharedAddresses, 'Jaccard >= 0.9', { networks })).toEqual(['de'])
  })
})

describe('EvilCohort-like', () => {
  const networks = touching({ a: 'pq', b: 'pq', c: 'pq', x: 'stuvp', y: 'wzkls' })
  const userAgents = touching({ a: '1', b: '1', c: '1', x: '2', y: '3' })

  test('two networks in common bind the group, one does not', () => {
    expect(groupsAt(evilCohort, '2 networks in common', { networks, userAgents })).toEqual(['abc'])
  })

  test('a group whose members mostly live elsewhere, or without a common program, is filtered', () => {
    const people = touching({ a: 'pq', b: 'pq', x: 'yzklm', w: 'yzuno' })
    const agents = touching({ a: '1', b: '1', x: '2', w: '3' })
    const given = { networks: people, userAgents: agents }
    expect(groupsAt(evilCohort, '2 networks in common', given)).toEqual(['ab', 'wx'])
    expect(groupsAt(evilCohort, '2 networks in common, filter: networks', given)).toEqual(['ab'])
    const mixed = { networks, userAgents: touching({ a: '1', b: '2', c: '3', x: '4', y: '5' }) }
    expect(groupsAt(evilCohort, '2 networks in common, filter: user agent', mixed)).toEqual([])
    expect(groupsAt(evilCohort, '2 networks in common, filters: networks and user agent', given)).toEqual(['ab'])
  })
})

describe('SynchroTrap-like', () => {
  test('apps that do the same in the same slots are a group, with the same objects at other times they are none', () => {
    // Letters are (route, slot): a and b act in the same slots, c on the same route at other times.
    const actions = [{ on: 'route', slotMinutes: 5, actions: touching({ a: 'pqr', b: 'pqs', c: 'xyz' }) }] as const
    expect(groupsAt(synchroTrap, 'same route within 5 min, Jaccard >= 0.5', { actions })).toEqual(['ab'])
    expect(groupsAt(synchroTrap, 'same route within 5 min, Jaccard >= 0.6', { actions })).toEqual([])
  })
})

describe('TF-IDF', () => {
  test('what everybody uses binds nobody, what two use alone binds them', () => {
    const routes = touching({ a: 'pq', b: 'pq', c: 'px', d: 'py' })
    const given = {
      routes,
      networks: touching({ a: '1', b: '2', c: '3', d: '4' }),
      userAgents: touching({ a: '9', d: '8' }),
    }
    expect(groupsAt(tfIdfCosine, 'cosine >= 0.1', given)).toEqual(['ab'])
    expect(groupsAt(tfIdfCosine, 'cosine >= 0.9', given)).toEqual([])
  })
})

test('every method has the same settings whatever the traffic, says nothing of no traffic, and names no app alone', () => {
  const actions = (table: PeerTraffic['networks']) => [{ on: 'network', slotMinutes: 5, actions: table }] as const
  const empty = PEERS.map((peer) => peer.sweep(traffic({ actions: actions([]) })))
  expect(empty.flat().every(({ groups }) => groups.length === 0)).toBe(true)
  fc.assert(
    fc.property(tables, (table) => {
      const given = { networks: table, routes: table, userAgents: table, actions: actions(table) }
      for (const [index, peer] of PEERS.entries()) {
        const answers = peer.sweep(given)
        expect(answers.map(({ setting }) => setting)).toEqual(empty[index]?.map(({ setting }) => setting))
        for (const group of answers.flatMap(({ groups }) => groups)) {
          expect(new Set(group).size).toBe(group.length)
          expect(group.length).toBeGreaterThan(1)
        }
      }
    }),
    { numRuns: 200, seed: 13 },
  )
})
