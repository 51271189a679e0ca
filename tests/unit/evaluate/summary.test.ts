import { describe, expect, test } from 'vitest'
import type { Peer } from '../../../evaluate/peers/peer.ts'
import { renderSummaries } from '../../../evaluate/summary-report.ts'
import { summarize, WorldSummary } from '../../../evaluate/summary.ts'
import { worldResult, type WorldResult } from '../../../evaluate/world-result.ts'
import { listWorlds, planOptions } from '../../../evaluate/worlds.ts'
import { cluster, group, truthOf } from '../../support/score-oracle.ts'

const nothing = { networks: [], routes: [], userAgents: [], actions: [] }

/** A method that gives the same groups everywhere, at two settings. */
function fixed(strict: string[], loose: string[]): Peer {
  const groups = (words: string[]) => words.map((word) => word.split(''))
  return {
    name: 'fixed',
    sweep: () => [
      { setting: 'strict', groups: groups(strict) },
      { setting: 'loose', groups: groups(loose) },
    ],
  }
}

/** A world of ten apps in which abc and de are violations, unless it is benign. */
function world(kind: string, findings: string[], peer: Peer): WorldResult {
  const violations = [
    group('v1', 'abc', { strength: 'weak' }),
    group('v2', 'de', { strength: 'weak', scenario: 't', held_out: true }),
  ]
  const truth = { ...truthOf(kind === 'benign' ? [] : violations), world: kind }
  return worldResult(
    truth,
    findings.map((apps) => cluster(apps, apps)),
    [peer],
    nothing,
  )
}

describe('summaries of worlds', () => {
  const peer = fixed(['ab'], ['abc', 'de', 'xyz'])
  const summaries = summarize([
    world('tidy', ['abc', 'de'], peer),
    world('tidy', ['abc'], peer),
    world('benign', ['fg'], peer),
  ])
  const [tidy, benign] = summaries

  test('worlds of one kind and strength are one summary, with the mean over them', () => {
    expect(summaries.map(({ world: kind, strength, seeds }) => [kind, strength, seeds.length])).toEqual([
      ['tidy', 'weak', 2],
      ['benign', 'none', 1],
    ])
    expect(tidy?.methods[0]).toMatchObject({
      method: 'sidestep',
      setting: null,
      measures: {
        found: { worlds: 2, mean: 0.75, high: 1, count: 3, total: 4 },
        false_findings: { mean: 0, count: 0, total: 3 },
      },
    })
    expect(benign?.methods[0]?.measures).toMatchObject({
      found: { mean: null },
      false_findings: { mean: 1, low: null },
    })
  })

  test('a method is shown at the setting with its best F1, and keeps it where nobody breaks a rule', () => {
    expect(tidy?.methods[1]).toMatchObject({
      setting: 'loose',
      measures: { found: { mean: 1 }, false_findings: { mean: 1 } },
    })
    expect(benign?.methods[1]).toMatchObject({ setting: 'loose', measures: { false_findings: { mean: 3 } } })
    expect(summarize([world('benign', [], peer)])[0]?.methods.map(({ method }) => method)).toEqual(['sidestep'])
  })

  test('a method that gives no codes and no probabilities has no labels and no calibration', () => {
    expect(tidy?.methods[1]?.measures).toMatchObject({
      first_code_right: { mean: null, total: null },
      calibration_error_apps: { mean: null },
    })
  })

  test('what was found is summed up by scenario, held-out ones last', () => {
    expect(tidy?.methods[0]?.found_by_scenario).toEqual([
      { scenario: 's', held_out: false, count: 2, total: 2 },
      { scenario: 't', held_out: true, count: 1, total: 2 },
    ])
  })

  test('calibration is over the forecasts of all worlds together', () => {
    expect(tidy?.calibration.findings).toMatchObject({ forecasts: 3 })
    expect(tidy?.calibration.findings.expected_calibration_error).toBeCloseTo(0.1, 9)
  })

  test('a summary survives JSON, and its table fits 100 columns', () => {
    expect(WorldSummary.array().parse(JSON.parse(JSON.stringify(summaries)))).toEqual(summaries)
    const text = renderSummaries(summaries)
    expect(text).toContain('tidy worlds, weak violations, 2 seeds')
    for (const line of text.split('\n')) expect(Array.from(line).length).toBeLessThanOrEqual(100)
  })
})

describe('the worlds of an evaluation', () => {
  test('every kind comes with every strength and seed, a world without violations once a seed', () => {
    const worlds = listWorlds(['tidy', 'benign'], ['weak', 'medium'], [3, 4])
    expect(worlds.map(({ kind, strength, seed }) => `${kind} ${strength} ${seed}`)).toEqual([
      'tidy weak 3',
      'tidy medium 3',
      'benign mixed 3',
      'tidy weak 4',
      'tidy medium 4',
      'benign mixed 4',
    ])
  })

  test('the simulator is asked for the kind of world and the strength', () => {
    const size = { apps: 100, requests: 1000, hours: 24, scenarios: ['random_rotation'] }
    const asked = planOptions({ kind: 'benign', strength: 'mixed', seed: 3 }, size)
    expect(asked).toEqual({ ...size, seed: 3, world: 'benign', strength: 'mixed' })
  })
})
