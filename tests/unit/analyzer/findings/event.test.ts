import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tabSeparatedRow } from '#lib/tab-separated.ts'
import { Finding } from '#schemas/finding.ts'
import { withoutBestFamily } from '../../../../services/analyzer/findings/explain.ts'
import { buildFinding, findingDigest, newFindingUid } from '../../../../services/analyzer/findings/event.ts'
import { judgeExemption } from '../../../../services/analyzer/judgement/exemption.ts'
import { TUNING, tuningHash } from '../../../../services/analyzer/tuning.ts'
import { app, cluster, finding, NOW_MS, READS, violation, WINDOW } from '../../../support/analyzer-cases.ts'

const built = (more: Parameters<typeof violation>[1] = {}): Finding =>
  buildFinding(violation(['a', 'b', 'c'], more), { uid: 'sf-1', revision: 1 }, WINDOW, NOW_MS, TUNING)

describe('a finding', () => {
  it('fits its published schema, word for word', () => {
    expect(Finding.parse(finding(['a', 'b'], 'sf-1', 1))).toEqual(finding(['a', 'b'], 'sf-1', 1))
    const claimed = ['a', 'b'].map((id) => app(id, { name: 'Acme prod', description: 'Production' }))
    const unknown = { gain: { value: null, basis: 'the logs carry no rate limits' }, apps: claimed }
    expect(() => Finding.parse(built({ ...unknown, exemption: judgeExemption(claimed, TUNING) }))).not.toThrow()
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

  /** Invariant 16. */
  it('names every app with its account, the evidence with its query, and the tuning', () => {
    const { data } = built()
    expect(data.resources.map(({ uid, owner }) => [uid, owner.uid])).toEqual(['a', 'b', 'c'].map((id) => [id, 'owner']))
    expect(data.evidences.map(({ data: item }) => item.query)).toEqual([
      'sql/queries/signals/pair-networks.sql',
      'sql/queries/signals/pair-routes.sql',
    ])
    expect(data.unmapped.tuning_hash).toBe(tuningHash(TUNING))
    expect(data.unmapped.shared_networks[0]?.network).toBe('192.0.2.7')
  })

  it('is never certain: the confidence stays below 100', () => {
    const surest = { ...cluster(['a', 'b', 'c']), probability: TUNING.evidence.probabilityMax }
    expect(built({ cluster: surest }).data.confidence_score).toBe(99)
  })

  it('is as severe as what it gained, which never changes how sure it is', () => {
    const severities = [null, 0.5, 1.5, 2, 90].map((value) => built({ gain: { value, basis: 'x' } }).data)
    expect(severities.map(({ severity_id }) => severity_id)).toEqual([3, 2, 3, 4, 4])
    expect(new Set(severities.map(({ confidence_score }) => confidence_score)).size).toBe(1)
    for (const { risk_score, confidence_score } of severities) expect(risk_score).toBeLessThanOrEqual(confidence_score)
  })

  it('says which innocent explanations were tested and how each came out', () => {
    const asOwnTools = built({ reads: { ...READS, elsewhereShares: [0.9], effectiveHours: [8] } }).data.unmapped
    const ruledOut = (explanations: typeof asOwnTools.innocent_explanations): Record<string, boolean> =>
      Object.fromEntries(explanations.map(({ explanation, ruled_out }) => [explanation, ruled_out]))
    expect(ruledOut(built().data.unmapped.innocent_explanations)).toEqual({
      'people or tenants behind one address': true,
      'different products of one operator': true,
      'a move from an old app to its successor': true,
      "each person's own copy of one tool": true,
      'development, staging and production of one service': true,
    })
    expect(ruledOut(asOwnTools.innocent_explanations)["each person's own copy of one tool"]).toBe(false)
  })

  it('tells how sure it would be without its strongest family', () => {
    // -8 + 8 + 6 bits without the 8: two bits against.
    expect(withoutBestFamily(cluster(['a', 'b']))).toBeCloseTo(1 / 5, 12)
  })
})

const digest = (more: Parameters<typeof violation>[1] = {}): string => findingDigest(violation(['a', 'b'], more))

describe('the digest of a finding', () => {
  it('is the same for the same members, rules, conditions and certainty', () => {
    expect(digest({ gain: { value: 9, basis: 'other' }, reads: { ...READS, networks: [] } })).toBe(digest())
    expect(digest({ apps: ['a', 'b'].map((id) => app(id, { requests: 5 })) })).toBe(digest())
  })

  it('is another when an account, a rule, a condition or a member changes', () => {
    const others = [
      digest({ apps: [app('a'), app('b', { owner_id: 'other' })] }),
      digest({ policies: ['service_sharded_across_apps'] }),
      digest({ exemption: { claimed: true, failures: ['more_than_one_owner'], holds: false } }),
      digest({ cluster: { ...cluster(['a', 'b']), probability: 0.9 } }),
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
