import { describe, expect, it } from 'vitest'
import { confidence } from '../../../../services/analyzer/judgement/confidence.ts'
import type { Judged } from '../../../../services/analyzer/judgement/verdicts.ts'
import type { Group } from '../../../../services/analyzer/clusters/groups.ts'
import { TUNING } from '../../../../services/analyzer/tuning.ts'
import { link, placeOf } from '../../../support/pair-cases.ts'

type Sure = Pick<Judged, 'draft' | 'members' | 'process' | 'ring'>

function sure(more: Partial<Sure['draft']>, rest: Partial<Sure> = {}): Sure {
  const apps = [0, 1, 2]
  return {
    draft: { apps, groups: [], links: [], ...more },
    members: apps,
    process: undefined,
    ring: undefined,
    ...rest,
  }
}

const group = (surpriseBits: number, apps: readonly number[] = [0, 1, 2]): Group => ({
  place: placeOf(5),
  apps,
  residents: 5,
  q: 0.01,
  surpriseBits,
  mix: { keys: new Int32Array(0), counts: new Int32Array(0), total: 0 },
  fitBits: new Map(apps.map((app) => [app, 3])),
})

describe('how sure a finding is', () => {
  it('grows with the bits of its middle link, and never reaches certainty', () => {
    const values = [7, 9, 12, 14].map((bits) =>
      confidence(sure({ links: [link(0, 1, bits), link(1, 2, bits)] }), TUNING),
    )
    expect(values).toEqual(values.toSorted((x, y) => x - y))
    expect(new Set(values).size).toBe(values.length)
    expect(confidence(sure({ groups: [group(500)] }), TUNING)).toBe(TUNING.evidence.probabilityMax)
  })

  it('is no surer by one strong link among weak ones', () => {
    const weak = [link(0, 1, 7), link(1, 2, 7)]
    expect(confidence(sure({ links: [...weak, link(0, 2, 14)] }), TUNING)).toBe(
      confidence(sure({ links: weak }), TUNING),
    )
  })

  it('of a group is even where strangers reached as much, and sure above', () => {
    expect(confidence(sure({ groups: [group(14)] }), TUNING)).toBeCloseTo(0.5, 12)
    expect(confidence(sure({ groups: [group(24)] }), TUNING)).toBe(TUNING.evidence.probabilityMax)
  })

  it('of a group grows by proof of one process', () => {
    const process = { proof: 'even_stagger', apps: [0, 1, 2], observed: 0.1, expected: 0.9, p: 1 / 2001 } as const
    const groups = [group(16)]
    expect(confidence(sure({ groups }, { process }), TUNING)).toBeGreaterThan(confidence(sure({ groups }), TUNING))
    expect(confidence(sure({ groups }, { process }), TUNING, { without: 'timing' })).toBe(
      confidence(sure({ groups }), TUNING),
    )
  })

  it('is never surer without a kind of evidence, and is nothing where that kind is all', () => {
    const links = [link(0, 1, 12)]
    const whole = confidence(sure({ links }), TUNING)
    for (const without of ['network', 'users', 'behaviour', 'timing', 'registry'] as const) {
      expect(confidence(sure({ links }), TUNING, { without })).toBeLessThanOrEqual(whole)
    }
    expect(confidence(sure({ links }), TUNING, { without: 'timing' })).toBeLessThan(0.01)
    expect(confidence(sure({ groups: [group(40)] }), TUNING, { without: 'network' })).toBe(0)
  })

  it('of a member comes from its own links and groups', () => {
    const judged = sure({ links: [link(0, 1, 14), link(1, 2, 7)], groups: [group(14, [0, 1])] })
    expect(confidence(judged, TUNING, { app: 0 })).toBeGreaterThan(confidence(judged, TUNING, { app: 2 }))
  })

  it('of a ring that shares nothing but time comes from its hand-overs', () => {
    const ring = {
      apps: [0, 1, 2],
      hits: 60,
      expectedHits: 6,
      hitsZ: 8,
      overlapMs: 0,
      expectedOverlapMs: 100_000,
      overlapZ: -2,
    } as const
    expect(confidence(sure({}, { ring }), TUNING)).toBe(TUNING.evidence.probabilityMax)
    expect(confidence(sure({}, { ring: { ...ring, hitsZ: 3 } }), TUNING)).toBe(0)
  })
})
