import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  classifyNetwork,
  type Corroboration,
  type NetworkResidents,
} from '../../../../services/analyzer/evidence/network-classes.ts'
import { pairKey } from '../../../../services/analyzer/run/pairs.ts'
import { TUNING } from '../../../../services/analyzer/tuning.ts'

const ids = (count: number): string[] => Array.from({ length: count }, (_, i) => `app-${String(i).padStart(3, '0')}`)

/** A network on which `residents` of `degree` apps live, with that share of its traffic. */
function place(degree: number, residents: readonly string[], traffic = 1): NetworkResidents {
  return {
    network: '::ffff:192.0.2.1',
    degree,
    total_requests: 1000,
    resident_requests: 1000 * traffic,
    residents: [...residents],
  }
}

/** Every pair of `apps` is alike. */
function alike(apps: readonly string[]): ReadonlySet<string> {
  return new Set(apps.flatMap((a, i) => apps.slice(i + 1).map((b) => pairKey(a, b))))
}

const NOTHING: Corroboration = { alike: new Set(), community: () => undefined }
const classOf = (network: NetworkResidents, corroboration: Corroboration): string =>
  classifyNetwork(network, corroboration, TUNING)

describe('a network of few apps', () => {
  it('is dedicated when two apps live on it, alike or not', () => {
    expect(classOf(place(2, ids(2)), NOTHING)).toBe('dedicated')
  })

  it('is dedicated when those who live on it are alike', () => {
    expect(classOf(place(8, ids(8)), { ...NOTHING, alike: alike(ids(8)) })).toBe('dedicated')
  })

  it('is a shared host when three and more live on it and are not alike', () => {
    expect(classOf(place(3, ids(3)), NOTHING)).toBe('shared')
    expect(classOf(place(10, ids(10)), { ...NOTHING, alike: alike(ids(4)) })).toBe('shared')
  })
})

describe('a network of many apps', () => {
  const many = ids(20)

  it('is a hub when nothing else ties its apps together: carrier NAT, VPN, cloud egress', () => {
    expect(classOf(place(20, many), NOTHING)).toBe('hub')
  })

  it('is a machine room when nearly all of its apps live there and are alike', () => {
    expect(classOf(place(20, many), { ...NOTHING, alike: alike(many) })).toBe('operator')
  })

  it('is a machine room when its apps are one community elsewhere and somewhat alike', () => {
    const twoThirds = alike(many.slice(0, 13))
    expect(classOf(place(20, many), { alike: twoThirds, community: () => 1 })).toBe('operator')
  })

  it('is a hub when its apps are one community elsewhere and not alike: products of one company in its office', () => {
    expect(classOf(place(20, many), { alike: new Set(), community: () => 1 })).toBe('hub')
  })

  it('is a hub when apps without a community are many: no community is not a common one', () => {
    const some = alike(many.slice(0, 12))
    expect(classOf(place(20, many), { alike: some, community: () => undefined })).toBe('hub')
  })

  it('is a hub when other apps pass through: a campus on which students run one tutorial', () => {
    const tutorial = { ...NOTHING, alike: alike(many) }
    expect(classOf(place(60, many), tutorial)).toBe('hub')
    expect(classOf(place(20, many, 0.6), tutorial)).toBe('hub')
  })

  it('is a hub when more live on it than a provider could keep apart', () => {
    const provider = ids(TUNING.blocking.residentsMax + 1)
    expect(classOf(place(provider.length, provider), { ...NOTHING, alike: alike(provider) })).toBe('hub')
  })
})

it('without corroboration no network of three and more residents carries weight', () => {
  fc.assert(
    fc.property(fc.integer({ min: 3, max: 300 }), fc.integer({ min: 0, max: 300 }), (residents, passing) => {
      expect(['hub', 'shared']).toContain(classOf(place(residents + passing, ids(residents)), NOTHING))
    }),
    { seed: 1 },
  )
})
