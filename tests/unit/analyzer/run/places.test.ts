import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { at } from '#simulate/random.ts'
import { findPlaces, type Place } from '../../../../services/analyzer/run/places.ts'
import type { Snapshot } from '../../../../services/analyzer/run/snapshot.ts'
import { TUNING } from '../../../../services/analyzer/tuning.ts'
import { countsOf, snapshotOf, type AppSketch } from '../../../support/snapshot-cases.ts'

const { alikeMin } = TUNING.places
const MIX = countsOf({ 0: 6, 3: 4 })

/** Apps by the networks that they use, each a letter: { a: 'xyz' }. */
const living = (lives: Readonly<Record<string, string>>): AppSketch[] =>
  Object.entries(lives).map(([id, networks]) => ({
    id,
    on: Object.fromEntries(Array.from(networks, (network) => [network, MIX])),
  }))

const placesIn = (lives: Readonly<Record<string, string>>): string[] => {
  const snapshot = snapshotOf(living(lives), 4)
  return named(snapshot, findPlaces(snapshot, alikeMin))
}
const named = (snapshot: Snapshot, places: readonly Place[]): string[] =>
  places
    .map(({ networks }) =>
      networks
        .map((network) => at(snapshot.networks, network))
        .toSorted()
        .join(''),
    )
    .toSorted()

describe('places', () => {
  it('are networks whose residents are the same', () => {
    expect(placesIn({ a: 'pqr', b: 'pqr', c: 'xy', d: 'xy' })).toEqual(['pqr', 'xy'])
  })

  it('have at least half of their residents in common: a Jaccard index of .5 joins, of .4 does not', () => {
    // p: a b c; q: a b d. Two of four in common.
    expect(placesIn({ a: 'pq', b: 'pq', c: 'p', d: 'q' })).toEqual(['pq'])
    // p: a b c d; q: a b e. Two of five.
    expect(placesIn({ a: 'pq', b: 'pq', c: 'p', d: 'p', e: 'q' })).toEqual(['p', 'q'])
  })

  it('are not chained by one app that wanders between them', () => {
    expect(placesIn({ a: 'pqrs', b: 'p', c: 'p', d: 'q', e: 'q', f: 'r', g: 'r', h: 's', i: 's' })).toEqual([
      'p',
      'q',
      'r',
      's',
    ])
  })

  it('hold each network once, and each stream of it', () => {
    const lives = fc.dictionary(
      fc.constantFrom(...Array.from('abcdefgh')),
      fc.string({ unit: fc.constantFrom(...Array.from('pqrstu')), minLength: 1, maxLength: 6 }),
    )
    fc.assert(
      fc.property(lives, (some) => {
        const snapshot = snapshotOf(living(some), 4)
        const places = findPlaces(snapshot, alikeMin)
        const networks = places.flatMap((place) => place.networks)
        expect(networks.toSorted((x, y) => x - y)).toEqual(snapshot.networks.map((_, i) => i))
        const requests = places.flatMap(({ streams }) => streams.map(({ mix }) => mix.total))
        const all = snapshot.streamsOf.flat().map(({ mix }) => mix.total)
        const sum = (list: readonly number[]): number => list.reduce((total, n) => total + n, 0)
        expect(sum(requests)).toBe(sum(all))
      }),
      { seed: 1 },
    )
  })

  it('do not depend on the order in which streams and apps come', () => {
    const letters = fc.uniqueArray(fc.constantFrom(...Array.from('pqrstuvw')), { minLength: 1, maxLength: 8 })
    const lives = fc.array(letters, { minLength: 2, maxLength: 10 })
    fc.assert(
      fc.property(lives, (some) => {
        const sketches = living(Object.fromEntries(some.map((networks, i) => [`app-${i}`, networks.join('')])))
        const snapshot = snapshotOf(sketches, 4)
        const places = findPlaces(snapshot, alikeMin)
        const turned = { ...snapshot, streamsOf: snapshot.streamsOf.map((streams) => streams.toReversed()) }
        expect(findPlaces(turned, alikeMin)).toEqual(places)
      }),
      { seed: 2 },
    )
  })

  it('of nothing are none', () => {
    expect(placesIn({})).toEqual([])
    expect(placesIn({ a: 'p', b: 'q' })).toEqual([])
  })
})

describe('a stream of a place', () => {
  it('is the sum of what an app does on its networks', () => {
    const snapshot = snapshotOf(
      [
        { id: 'a', on: { p: countsOf({ 0: 6 }), q: countsOf({ 0: 1, 2: 3 }), home: countsOf({ 1: 10 }) } },
        { id: 'b', on: { p: countsOf({ 1: 5 }), q: countsOf({ 1: 5 }) } },
      ],
      4,
    )
    const [place] = findPlaces(snapshot, alikeMin)
    expect(place?.streams[0]).toMatchObject({ app: 0, mix: countsOf({ 0: 7, 2: 3 }), share: 0.5, networks: 2 })
    expect(place?.streams[1]).toMatchObject({ app: 1, mix: countsOf({ 1: 10 }), share: 1 })
  })

  it('is no resident when it is the line of a person: most of it on such networks', () => {
    const on = { p: countsOf({ 0: 6 }), q: countsOf({ 0: 3 }) }
    const snapshot = snapshotOf(
      [
        { id: 'a', on, lines: ['p'] },
        { id: 'b', on, lines: ['q'] },
        { id: 'c', on },
      ],
      1,
    )
    const [place] = findPlaces(snapshot, alikeMin)
    expect(place?.streams.map(({ app }) => app)).toEqual([0, 1, 2])
    expect(place?.residents.map(({ app }) => app)).toEqual([1, 2])
  })
})
