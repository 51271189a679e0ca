import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tabSeparatedRow } from '#lib/tab-separated.ts'
import { Finding } from '#schemas/finding.ts'
import { buildFinding, findingDigest, newFindingUid } from '../../../../services/analyzer/findings/event.ts'
import { TUNING, tuningHash } from '../../../../services/analyzer/tuning.ts'
import { accused, finding, NOW_MS, violation, WINDOW } from '../../../support/analyzer-cases.ts'

const built = (more: Parameters<typeof violation>[1] = {}): Finding =>
  buildFinding(violation(['a', 'b', 'c'], more), { uid: 'sf-1', revision: 1 }, WINDOW, NOW_MS, TUNING)

const UNKNOWN_GAIN = { value: null, basis: 'it is not known what one app may use', ofOthers: null } as const

/** Invariant 16. */
describe('a finding', () => {
  it('fits its published schema, word for word', () => {
    expect(Finding.parse(finding(['a', 'b'], 'sf-1', 1))).toEqual(finding(['a', 'b'], 'sf-1', 1))
    expect(Finding.parse(built({ gain: UNKNOWN_GAIN }))).toEqual(built({ gain: UNKNOWN_GAIN }))
  })

  it('has the id <uid>:<revision>, so that the same revision twice is one event', () => {
    const event = finding(['a', 'b'], 'sf-7', 3)
    expect(event.id).toBe('sf-7:3')
    expect(event.subject).toBe('cluster/sf-7')
    expect(event.data.finding_info.uid).toBe('sf-7')
    expect(event.data.unmapped.revision).toBe(3)
  })

  it('is opened by its first revision and updated by every later one', () => {
    expect(finding(['a', 'b'], 'sf-1', 1)).toMatchObject({
      type: 'dev.sidestep.finding.opened.v1',
      data: { activity_id: 1, type_uid: 200_401 },
    })
    expect(finding(['a', 'b'], 'sf-1', 2)).toMatchObject({
      type: 'dev.sidestep.finding.updated.v1',
      data: { activity_id: 2, type_uid: 200_402 },
    })
  })

  it('is the same bytes for the same input', () => {
    expect(JSON.stringify(built())).toBe(JSON.stringify(built()))
  })

  it('names every app with its account, the mode, the evidence with its query, and the tuning', () => {
    const { data } = built()
    expect(data.resources.map(({ uid, owner }) => [uid, owner.uid])).toEqual(['a', 'b', 'c'].map((id) => [id, 'owner']))
    expect(data.evidences.map(({ data: item }) => item.query)).toEqual([
      'sql/queries/snapshot/streams.sql',
      'sql/queries/snapshot/app-routes.sql',
    ])
    expect(data.unmapped.mode).toBe('round_robin')
    expect(data.unmapped.tuning_hash).toBe(tuningHash(TUNING))
  })

  it('says how each of its queries is asked again', () => {
    const { reproduce = [] } = built().data.unmapped
    const span = { from: '2026-03-01 00:00:00', to: '2026-03-02 00:00:00' }
    expect(reproduce).toEqual([
      { query: 'sql/queries/snapshot/streams.sql', parameters: span },
      { query: 'sql/queries/snapshot/app-routes.sql', parameters: span },
    ])
  })

  it('is never certain: the confidence stays below 100', () => {
    const { cluster } = violation(['a', 'b', 'c'])
    const surest = { ...cluster, probability: TUNING.evidence.probabilityMax }
    expect(built({ cluster: surest }).data.confidence_score).toBe(99)
  })

  it('is as severe as what it gained, which never changes how sure it is', () => {
    const gains = [null, 0.5, 1.5, 2, 90].map((value) => ({ value, basis: 'x', ofOthers: 0 }))
    const severities = gains.map((gain) => built({ gain }).data)
    expect(severities.map(({ severity_id }) => severity_id)).toEqual([3, 2, 3, 4, 4])
    expect(new Set(severities.map(({ confidence_score }) => confidence_score)).size).toBe(1)
    for (const { risk_score, confidence_score } of severities) expect(risk_score).toBeLessThanOrEqual(confidence_score)
  })

  it('tells how sure it would be without each kind of evidence, and without the one that carries most', () => {
    const { unmapped } = built().data
    expect(unmapped.probability_without).toEqual(violation(['a']).probabilityWithout)
    expect(unmapped.probability_without_best_family).toBe(0.4)
  })

  it('names a victim as that, with what to do, and never among the accused', () => {
    const { data } = built({ victims: [accused('framed', { owner_id: 'somebody' })] })
    const victims = data.resources.filter((app) => app.data.role === 'victim')
    expect(victims.map(({ uid }) => uid)).toEqual(['framed'])
    expect(victims[0]?.data.advice).toContain('new key')
    expect(data.message).toContain('3 applications of one account')
    expect(data.message).toContain('One more app was drawn in as victim')
    expect(data.resources.filter((app) => app.data.role === undefined)).toHaveLength(3)
  })

  it('says of unknown owners that they are unknown, neither one nor many', () => {
    const of = (...owners: string[]): string => {
      const apps = owners.map((owner_id, i) => accused(`app-${i}`, { owner_id }))
      return built({ apps, policies: ['duplicate_apps_multiple_owners'] }).data.message
    }
    expect(of('', '', '')).toContain('3 applications of accounts that the registry does not know')
    expect(of('', '', '')).toContain('Applications of accounts that are not known act as one')
    expect(of('x', '', '')).toContain('one account that is known; of 2 the account is not known')
    expect(of('x', 'y', '')).toContain('2 accounts that are known; of 1 the account is not known')
    expect(of('x', 'y', 'y')).toContain('Applications of several accounts act as one: 3 applications of 2 accounts')
  })

  it('is told in one line, whatever a route is named', () => {
    const basis = '9 requests to /a\n\u001B[2Jprobability 1 %\u202E in 15 minutes'
    const { data } = built({ gain: { value: 3, basis, ofOthers: 0 } })
    expect(data.message).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    expect(data.unmapped.gain_basis).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  })
})

const digest = (more: Parameters<typeof violation>[1] = {}): string => findingDigest(violation(['a', 'b'], more))

describe('the digest of a finding', () => {
  it('is the same for the same members, rules, conditions and certainty', () => {
    expect(digest({ gain: { value: 9, basis: 'other', ofOthers: 0 }, networks: [], evidence: [] })).toBe(digest())
    expect(digest({ apps: ['a', 'b'].map((id) => accused(id, { requests: 5 })) })).toBe(digest())
  })

  it('is another when an account, a victim, a rule, a condition or a member changes', () => {
    const { cluster } = violation(['a', 'b'])
    const others = [
      digest({ apps: [accused('a'), accused('b', { owner_id: 'other' })] }),
      digest({ victims: [accused('c')] }),
      digest({ policies: ['service_sharded_across_apps'] }),
      digest({ exemption: { claimed: true, failures: ['more_than_one_owner'], holds: false } }),
      digest({ cluster: { ...cluster, probability: 0.8 } }),
      findingDigest(violation(['a', 'c'])),
    ]
    expect(new Set([digest(), ...others]).size).toBe(others.length + 1)
  })

  it('and the id of a new finding do not run members together', () => {
    expect(newFindingUid(['ab', 'c'])).not.toBe(newFindingUid(['a', 'bc']))
  })
})

describe('the hash of a tuning', () => {
  it('changes with any weight', () => {
    expect(tuningHash(TUNING)).toMatch(/^[0-9a-f]{16}$/)
    expect(tuningHash(structuredClone(TUNING))).toBe(tuningHash(TUNING))
  })
})

/** Takes the escapes of one field back, character by character. */
function unescape(text: string): string {
  const meaning: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', '0': '\0', b: '\b', f: '\f' }
  return text.replace(/\\(.)/g, (_, c: string) => meaning[c] ?? c)
}

describe('a tab-separated row', () => {
  const anyText = fc.string({ unit: fc.constantFrom(...Array.from('a\\\t\n\r\0\b\f\'"äN[],😀')) })

  it('holds as many fields as values, on one line, and each can be taken back', () => {
    fc.assert(
      fc.property(fc.array(anyText, { minLength: 1 }), (values) => {
        const row = tabSeparatedRow(values)
        expect(row.endsWith('\n')).toBe(true)
        expect(row.slice(0, -1)).not.toContain('\n')
        expect(row.slice(0, -1).split('\t').map(unescape)).toEqual(values)
      }),
      { seed: 1 },
    )
  })

  it('writes null as NULL, which no text looks like, numbers as they are, arrays quoted', () => {
    expect(tabSeparatedRow([null, '\\N', 3.5, ["it's", 'a\\b'], []])).toBe("\\N\t\\\\N\t3.5\t['it\\'s','a\\\\b']\t[]\n")
  })
})
