import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { renderScorecard } from '../../../evaluate/report.ts'
import type { PredictedMember } from '../../../evaluate/judge.ts'
import { score } from '../../../evaluate/score.ts'
import { calibration, proportion } from '../../../evaluate/statistics.ts'
import { cases, cluster, group, letters, oracle, truthOf, type Case } from '../../support/score-oracle.ts'

/** Whether a finding with these apps finds a violation with those. */
function found(violation: string, finding: string): boolean {
  return score(truthOf([group('v', violation)], 20), [cluster('c', finding)]).found.count === 1
}

function rename(app: string): string {
  return `app-${letters.length - letters.indexOf(app)}`
}

describe('known answers', () => {
  const two = truthOf([group('v1', 'abc'), group('v2', 'de')], 8)

  test('a perfect answer has every share at 1 and nothing false', () => {
    const card = score(two, [cluster('c2', 'de'), cluster('c1', 'abc')])
    expect(card.pairs).toMatchObject({ precision: { count: 4, total: 4 }, recall: { count: 4, total: 4 }, f1: 1 })
    expect(card.b_cubed).toEqual({ precision: 1, recall: 1, f: 1 })
    expect([card.found.share, card.precision.share, card.labels.strict.share]).toEqual([1, 1, 1])
    expect(card.innocent_apps_accused).toMatchObject({ count: 0, total: 3, share: 0 })
    expect([card.false_findings, card.missed_ids]).toEqual([[], []])
  })

  test('one finding with all apps recalls every pair and is false', () => {
    const card = score(two, [cluster('c', 'abcdefgh')])
    expect(card.pairs).toMatchObject({ precision: { count: 4, total: 28 }, recall: { count: 4, total: 4 }, f1: 0.25 })
    expect(card.b_cubed.precision).toBeCloseTo((3 * (3 / 8) + 2 * (2 / 8)) / 8, 12)
    expect(card.b_cubed.recall).toBe(1)
    expect(card.false_findings).toEqual([{ id: 'c', apps: 8, reason: 'no_violation_has_half' }])
    expect(card.innocent_apps_accused).toMatchObject({ count: 3, total: 3 })
    expect(card.missed_ids).toEqual(['v1', 'v2'])
  })

  test('findings of one app each hold no pair, and all of them are false', () => {
    const card = score(
      two,
      Array.from('abcde', (app) => cluster(app, app)),
    )
    expect(card.pairs).toMatchObject({ precision: { share: null }, recall: { count: 0, total: 4 }, f1: 0 })
    expect(card.b_cubed.precision).toBe(1)
    expect(card.b_cubed.recall).toBeCloseTo((3 * (1 / 3) + 2 * (1 / 2)) / 5, 12)
    expect(new Set(card.false_findings.map(({ reason }) => reason))).toEqual(
      new Set(['fewer_than_two_apps_of_a_violation']),
    )
    expect(card.found.count).toBe(0)
  })

  test('one innocent in five apps is still found, and counted as accused', () => {
    const card = score(truthOf([group('v', 'abcd')]), [cluster('c', 'abcdx')])
    expect(card.pairs).toMatchObject({ precision: { count: 6, total: 10 }, recall: { count: 6, total: 6 } })
    expect(card.pairs.f1).toBeCloseTo(0.75, 12)
    expect(card.b_cubed.precision).toBeCloseTo((4 * (4 / 5)) / 5, 12)
    expect(card.b_cubed.recall).toBe(1)
    expect([card.found.count, card.precision.count, card.innocent_apps_accused.count]).toEqual([1, 1, 1])
  })

  test('80 % complete and 80 % pure is found, and less of either is not', () => {
    expect(found('abcde', 'abcd')).toBe(true)
    expect(found('abcd', 'abc')).toBe(false)
    expect(found('abcd', 'abcdxy')).toBe(false)
    expect(found('abcdefghij', 'abcdefghxy')).toBe(true)
  })

  test('a finding is right from half of its apps on, and never with a single one', () => {
    const card = score(truthOf([group('v', 'abc')]), [cluster('c', 'abxyz'), cluster('d', 'abxy'), cluster('e', 'ax')])
    expect(card.false_findings.map(({ id, reason }) => `${id} ${reason}`)).toEqual([
      'c no_violation_has_half',
      'e fewer_than_two_apps_of_a_violation',
    ])
  })

  test('an app in two equal findings loses precision, as multiplicity B-cubed has it', () => {
    const card = score(truthOf([group('v', 'ab')]), [cluster('c', 'ab'), cluster('d', 'ab')])
    expect(card.b_cubed).toMatchObject({ precision: 0.5, recall: 1 })
    expect(card.pairs.precision).toMatchObject({ count: 1, total: 1 })
  })

  test('one finding that swallows 200,000 apps is counted, not listed', () => {
    const apps = Array.from({ length: 200_000 }, (_, index) => `app${index}`)
    const swallowed = { ...cluster('c', ''), members: apps.map((app_id) => ({ app_id, probability: 1 })) }
    const card = score(truthOf([{ ...group('v', 'x'), apps: apps.slice(0, 100) }], apps.length), [swallowed])
    expect(card.pairs.precision).toMatchObject({ count: 4950, total: (200_000 * 199_999) / 2 })
  })
})

describe('degenerate cases', () => {
  test('without findings precision is null, F is 0 and recall is 0', () => {
    const card = score(truthOf([group('v', 'abc')]), [])
    expect(card.precision).toEqual({ count: 0, total: 0, share: null, low: null, high: null })
    expect(card.pairs).toMatchObject({ precision: { share: null }, recall: { share: 0 }, f1: 0 })
    expect(card.b_cubed).toEqual({ precision: null, recall: 0, f: 0 })
    expect(card.calibration.members).toMatchObject({ expected_calibration_error: null, brier: null })
    expect(renderScorecard(card)).toContain('No findings: precision is undefined')
  })

  test('without violations every finding is false and recall is null', () => {
    const card = score(truthOf([]), [cluster('c', 'ab')])
    expect(card.precision.share).toBe(0)
    expect(card.found.share).toBe(null)
    expect(card.pairs).toMatchObject({ precision: { share: 0 }, recall: { share: null }, f1: 0 })
    expect(card.b_cubed).toEqual({ precision: 0, recall: null, f: 0 })
  })

  test('nothing to find and nothing found claims nothing', () => {
    const card = score(truthOf([], 0), [])
    expect([card.found.share, card.precision.share, card.innocent_apps_accused.share]).toEqual([null, null, null])
    expect([card.pairs.f1, card.b_cubed.f]).toEqual([null, null])
  })

  test('an app in a violation is not innocent because a look-alike lists it too', () => {
    const truth = truthOf([group('v', 'abc'), group('l', 'cd', { kind: 'lookalike', scenario: 'campus', policy: [] })])
    const right = score(truth, [cluster('c', 'abc')])
    expect(right.lookalikes).toMatchObject([{ flagged: { count: 0, total: 1 }, apps_accused: { count: 0, total: 1 } }])
    expect(right.innocent_apps_accused).toMatchObject({ count: 0, total: 7 })
    const wrong = score(truth, [cluster('c', 'abcd')])
    expect(wrong.lookalikes).toMatchObject([{ scenario: 'campus', flagged_ids: ['l'], apps_accused: { count: 1 } }])
  })

  test('input that cannot be scored is refused with what to do', () => {
    const truth = truthOf([group('v', 'abc')], 4)
    expect(() => score(truth, [cluster('c', 'xyz')])).toThrow('same simulation')
    expect(() => score(truth, [cluster('c', 'ab'), cluster('c', 'bc')])).toThrow('latest revision')
    expect(() => score(truth, [{ ...cluster('c', 'ab'), probability: Number.NaN }])).toThrow('0..1')
    expect(() => score(truthOf([group('v', 'ab'), group('v', 'cd')]), [])).toThrow('own id')
  })
})

describe('breakdowns', () => {
  test('a label is strict when the first code is acceptable, listed when any is, and counts for found groups only', () => {
    const truth = truthOf([group('v1', 'ab'), group('v2', 'cd'), group('v3', 'ef'), group('v4', 'gh')])
    const card = score(truth, [
      cluster('c1', 'ab'),
      cluster('c2', 'cd', ['end_user_supplied_keys', 'duplicate_apps_single_owner']),
      cluster('c3', 'ef', ['end_user_supplied_keys']),
    ])
    expect(card.labels.strict).toMatchObject({ count: 1, total: 3 })
    expect(card.labels.listed).toMatchObject({ count: 2, total: 3 })
  })

  test('two findings of one violation must both be labelled right', () => {
    const card = score(truthOf([group('v', 'ab')]), [
      cluster('c', 'ab'),
      cluster('d', 'ab', ['end_user_supplied_keys']),
    ])
    expect(card.labels).toMatchObject({ strict: { count: 0, total: 1 }, listed: { count: 0, total: 1 } })
  })

  test('held-out groups have rows of their own, and strengths go from weak to strong', () => {
    const truth = truthOf([
      group('v1', 'ab', { strength: 'strong' }),
      group('v2', 'cd', { strength: 'weak' }),
      group('v3', 'efg', { strength: 'weak' }),
      group('v4', 'hi', { strength: 'weak', held_out: true }),
    ])
    const card = score(truth, [cluster('c1', 'cd'), cluster('c2', 'ef')])
    const rows = card.by_scenario.map((row) => [row.strength, row.held_out, row.found.count, row.found.total])
    expect(rows).toEqual([
      ['weak', false, 1, 2],
      ['strong', false, 0, 1],
      ['weak', true, 0, 1],
    ])
    expect(card.by_strength.map(({ strength, held_out, found: { count } }) => [strength, held_out, count])).toEqual([
      ['weak', false, 1],
      ['strong', false, 0],
      ['weak', true, 0],
    ])
    expect(card.by_scenario[0]?.pair_recall).toMatchObject({ count: 2, total: 4 })
    expect(card.found_held_out).toMatchObject({ count: 0, total: 1 })
  })

  test('an exempt group is flagged by one accused app', () => {
    const exempt = [
      group('e1', 'ab', { kind: 'exempt', policy: [] }),
      group('e2', 'cd', { kind: 'exempt', policy: [] }),
    ]
    const card = score(truthOf([group('v', 'xyz'), ...exempt]), [cluster('c', 'xyza')])
    expect(card.exempt_flagged).toMatchObject({ count: 1, total: 2 })
    expect(card.exempt).toMatchObject([{ flagged_ids: ['e1'], apps_accused: { count: 1, total: 4 } }])
  })

  test('Wilson intervals are the published ones', () => {
    expect(proportion(8, 10).low).toBeCloseTo(0.4902, 4)
    expect(proportion(8, 10).high).toBeCloseTo(0.9433, 4)
    expect(proportion(0, 10)).toMatchObject({ low: 0, share: 0 })
    expect(proportion(0, 10).high).toBeCloseTo(0.2775, 4)
    expect(proportion(10, 10).high).toBe(1)
  })

  test('calibration error and Brier score are those computed by hand', () => {
    const forecasts = [0.9, 0.95, 1, 0.26].map((probability, index) => ({ probability, outcome: index < 2 }))
    const { expected_calibration_error, brier, bins } = calibration(forecasts)
    expect(expected_calibration_error).toBeCloseTo((3 * (0.95 - 2 / 3) + 0.26) / 4, 12)
    expect(brier).toBeCloseTo((0.01 + 0.0025 + 1 + 0.26 ** 2) / 4, 12)
    expect(bins.map((bin) => bin.forecasts)).toEqual([0, 0, 1, 0, 0, 0, 0, 0, 0, 3])
  })

  test('a member is rightly accused only together with another app of its violation', () => {
    const card = score(truthOf([group('v1', 'abc'), group('v2', 'de')]), [cluster('c', 'abdxy')])
    expect(card.calibration.members.bins[9]).toMatchObject({ forecasts: 5, observed: 0.4 })
    expect(card.calibration.findings.bins[9]).toMatchObject({ forecasts: 1, observed: 0 })
  })
})

describe('victims, fragments and the damage inside right findings', () => {
  test('a victim is named only when a finding accuses it: the role decides', () => {
    const truth = truthOf([group('v', 'abcz', { victims: ['z'] })])
    const told = { ...cluster('c', 'abc'), members: [...cluster('c', 'abc').members, victim('z')] }
    const right = score(truth, [told])
    expect(right.found.count).toBe(1)
    expect(right.victims).toMatchObject({ named_as_operators: { count: 0, total: 1 }, told_as_victims: { count: 1 } })
    expect(right.innocent_apps_accused.count).toBe(0)
    const wrong = score(truth, [told, cluster('d', 'xyz')])
    expect(wrong.victims).toMatchObject({ named_as_operators: { count: 1 }, told_as_victims: { count: 0 } })
    expect(wrong.victims.named_apps).toEqual(['z'])
    expect(score(truth, [cluster('c', 'abcz')]).innocent_apps_accused.count).toBe(1)
  })

  test('a finding that tells victims alone accuses nobody and is false', () => {
    const card = score(truthOf([group('v', 'abc')]), [{ ...cluster('c', ''), members: [victim('a'), victim('b')] }])
    expect(card.false_findings).toMatchObject([{ apps: 0, reason: 'fewer_than_two_apps_of_a_violation' }])
    expect(card.calibration.members.forecasts).toBe(0)
  })

  test('a violation in three findings is split, with two findings too many', () => {
    const card = score(truthOf([group('v', 'abcdef'), group('w', 'gh')], 12), [
      cluster('c1', 'ab'),
      cluster('c2', 'cd'),
      cluster('c3', 'efx'),
      cluster('c4', 'gh'),
    ])
    expect(card.fragments).toMatchObject({ split: { count: 1, total: 2 }, surplus_findings: 2, split_ids: ['v'] })
    expect(card.found.count).toBe(1)
  })

  test('innocent apps in right findings and in false ones are told apart', () => {
    const card = score(truthOf([group('v', 'abcd')], 12), [cluster('c1', 'abcdx'), cluster('c2', 'xyz')])
    expect(card.innocent_apps_accused).toMatchObject({ count: 3, total: 8 })
    expect(card.innocent_apps_in_right_findings).toBe(1)
  })
})

function victim(app: string): PredictedMember {
  return { app_id: app, probability: 0.9, role: 'victim' }
}

/** Every number of a card, without the order of its lists and rounding noise. */
function numbers(input: Case): string {
  return JSON.stringify(score(input.truth, input.predicted), (key, value: unknown) => {
    if (key === 'false_findings' || key.endsWith('_ids') || key === 'named_apps')
      return Array.isArray(value) ? value.length : value
    return typeof value === 'number' ? Number(value.toFixed(9)) : value
  })
}

describe('properties', () => {
  test('pairs, B-cubed, found, right, accused, flagged and Brier score are those of the plain oracle', () => {
    fc.assert(
      fc.property(cases, (input) => {
        const card = score(input.truth, input.predicted)
        expect(card.pairs.recall.count).toBe(card.pairs.precision.count)
        expect({
          pairs: [card.pairs.precision.count, card.pairs.precision.total, card.pairs.recall.total],
          bCubed: [card.b_cubed.precision, card.b_cubed.recall].map((value) => value?.toFixed(9)),
          right: card.precision.count,
          found: card.found.count,
          accused: card.innocent_apps_accused.count,
          lookalikes: card.lookalikes_flagged.count,
          brier: card.calibration.members.brier?.toFixed(9),
          accusedRightly: card.innocent_apps_in_right_findings,
          split: [card.fragments.split.count, card.fragments.surplus_findings],
          victims: [
            card.victims.named_as_operators.count,
            card.victims.named_as_operators.total,
            card.victims.told_as_victims.count,
          ],
        }).toEqual(oracle(input))
      }),
      { numRuns: 2000, seed: 1 },
    )
  })

  test('neither order nor names change a number', () => {
    fc.assert(
      fc.property(cases, ({ truth, predicted }) => {
        const groups = truth.groups.map((g) => ({
          ...g,
          id: `${g.id}'`,
          apps: g.apps.map(rename).toReversed(),
          victims: (g.victims ?? []).map(rename),
        }))
        const findings = predicted.map(({ id, members, ...rest }) => ({
          ...rest,
          id: `other-${id}`,
          members: members.map((member) => ({ ...member, app_id: rename(member.app_id) })).toReversed(),
        }))
        const other = { truth: { ...truth, groups: groups.toReversed() }, predicted: findings.toReversed() }
        expect(numbers(other)).toBe(numbers({ truth, predicted }))
      }),
      { numRuns: 500, seed: 2 },
    )
  })

  test('every share is null or in 0..1 inside its interval, and a card survives JSON', () => {
    const shares = /"(?:share|low|high|f1?|brier|expected_calibration_error|mean_probability|observed)":([^,}]+)/g
    fc.assert(
      fc.property(cases, ({ truth, predicted }) => {
        const card = score(truth, predicted)
        const json = JSON.stringify(card)
        expect(JSON.parse(json)).toEqual(card)
        for (const [, text] of json.matchAll(shares)) {
          expect(text === 'null' || (Number(text) >= 0 && Number(text) <= 1)).toBe(true)
        }
        for (const { low, share, high } of [card.found, card.precision, card.innocent_apps_accused]) {
          expect((low ?? 0) <= (share ?? 0) && (share ?? 0) <= (high ?? 0)).toBe(true)
        }
      }),
      { numRuns: 500, seed: 3 },
    )
  })

  test('a report fits 100 columns whatever the names, and has no control characters', () => {
    fc.assert(
      fc.property(cases, fc.string({ maxLength: 150, unit: 'binary' }), ({ truth, predicted }, scenario) => {
        const groups = truth.groups.map((g) => ({ ...g, scenario, held_out: g.apps.length > 2, id: g.id + scenario }))
        const report = renderScorecard(score({ ...truth, groups }, predicted))
        expect(report.endsWith('\n')).toBe(true)
        for (const line of report.split('\n')) {
          expect(Array.from(line).length).toBeLessThanOrEqual(100)
          expect(line).not.toMatch(/\p{Cc}/u)
        }
      }),
      { numRuns: 300, seed: 4 },
    )
  })
})
