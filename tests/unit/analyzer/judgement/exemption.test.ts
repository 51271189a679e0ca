import { describe, expect, it } from 'vitest'
import {
  environmentsIn,
  judgeExemption,
  notProduction,
  type EnvironmentUse,
} from '../../../../services/analyzer/judgement/exemption.ts'
import type { SnapshotApp } from '../../../../services/analyzer/run/snapshot.ts'
import { TUNING } from '../../../../services/analyzer/tuning.ts'
import { app } from '../../../support/snapshot-cases.ts'

const DEV = app('dev', { name: 'Acme (dev)', description: 'Acme, development instance.', requests: 50 })
const STAGING = app('stg', { name: 'Acme (staging)', description: 'Acme, staging instance.', requests: 100 })
const PROD = app('prd', { name: 'Acme (prod)', description: 'Acme, production instance.', requests: 10_000 })

const QUIET: EnvironmentUse = { gain: null, gainOfOthers: null, userJaccard: null }
const judged = (...apps: readonly SnapshotApp[]): ReturnType<typeof judgeExemption> =>
  judgeExemption(apps, QUIET, TUNING)
const failuresOf = (...apps: readonly SnapshotApp[]): readonly string[] => {
  const exemption = judged(...apps)
  expect(exemption.claimed).toBe(true)
  expect(exemption.holds).toBe(exemption.failures.length === 0)
  return exemption.failures
}

/** Invariant 14. */
describe('the exemption for development, staging and production (P6)', () => {
  it('holds for three instances of one account, each named so in name and description', () => {
    expect(judged(DEV, STAGING, PROD)).toEqual({ claimed: true, failures: [], holds: true })
  })

  it('holds for two of the three', () => {
    expect(judged(DEV, PROD).holds).toBe(true)
    expect(judged(DEV, STAGING).holds).toBe(true)
  })

  it.each([
    ['Acme-Dev', 'Environment: DEV', 'acme_production', 'Prod environment.'],
    ['[test] Acme', 'Used for testing only.', '[live] Acme', 'Acme. Live.'],
    ['Acme sandbox', 'The sandbox of Acme', 'Acme PRD', 'This is the PRD instance.'],
    ['Acme UAT', 'uat, for our testers', 'Acme Production', 'Acme in production'],
    ['Acme pre-prod', 'Pre-production of Acme', 'Acme prod', 'Production of Acme'],
    ['Acme (dev2)', 'dev2 instance', 'Acme (prod1)', 'prod1 instance'],
  ])('knows the wording "%s" / "%s"', (name, description, prodName, prodDescription) => {
    const other = { ...DEV, name, description }
    expect(judged(other, { ...PROD, name: prodName, description: prodDescription }).failures).toEqual([])
  })

  it('holds for a service whose own name is an environment word', () => {
    const kitchen = [DEV, STAGING, PROD].flatMap((item) => [
      { ...item, name: item.name.replace('Acme', 'Test Kitchen') },
    ])
    expect(judged(...kitchen).failures).toEqual([])
  })

  it('is not claimed by names and descriptions that name no environment', () => {
    const plain = ['a', 'b', 'c'].map((id) => app(id, { name: `Acme ${id}`, description: 'Reports for shops.' }))
    expect(judged(...plain)).toEqual({ claimed: false, failures: [], holds: false })
  })

  it('is not claimed by one of three', () => {
    expect(judged(DEV, app('b'), app('c')).claimed).toBe(false)
  })
})

describe('the exemption fails by exactly the condition that is broken', () => {
  it('more than three apps', () => {
    const unclear = app('qa', { name: 'Acme sandbox', description: 'Acme sandbox', requests: 10 })
    expect(failuresOf(DEV, STAGING, PROD, unclear)).toContain('more_than_three_apps')
    expect(failuresOf(DEV, STAGING, PROD)).not.toContain('more_than_three_apps')
  })

  it('more than one account', () => {
    expect(failuresOf(DEV, STAGING, { ...PROD, owner_id: 'someone else' })).toEqual(['more_than_one_owner'])
  })

  it('an environment missing from a name', () => {
    expect(failuresOf(DEV, STAGING, { ...PROD, name: 'Acme' })).toEqual(['environment_missing_from_name'])
  })

  it('an environment missing from a description', () => {
    expect(failuresOf(DEV, { ...STAGING, description: 'Acme.' }, PROD)).toEqual([
      'environment_missing_from_description',
    ])
  })

  it('a description that names another environment than the name', () => {
    expect(failuresOf(DEV, { ...STAGING, description: 'Acme, production instance.' }, PROD)).toEqual([
      'environment_missing_from_description',
    ])
  })

  it('two apps that claim production', () => {
    const second = app('prd2', { name: 'Acme prod 2', description: 'Second production of Acme.', requests: 9_000 })
    expect(failuresOf(DEV, PROD, second)).toEqual(['environment_claimed_twice'])
  })

  it('of an unknown account is not held to be of another one', () => {
    expect(failuresOf(DEV, STAGING, { ...PROD, owner_id: '' })).toEqual([])
  })
})

describe('development and staging carry production load', () => {
  const { environmentUsersMin, environmentLoadMin, environmentGainMin } = TUNING.policy
  const carries = (use: Partial<EnvironmentUse>): boolean =>
    judgeExemption([DEV, STAGING, PROD], { ...QUIET, ...use }, TUNING).failures.includes(
      'non_production_carries_production_load',
    )

  it("when the group exceeds one app's limit and their users are production's own people", () => {
    expect(carries({ gain: 2.5, gainOfOthers: 1.5, userJaccard: 0.9 })).toBe(true)
  })

  it('not when a few testers use them, whatever they send', () => {
    expect(carries({ gain: 9, gainOfOthers: 8, userJaccard: environmentUsersMin / 2 })).toBe(false)
  })

  it("not within one app's limit: a tiny product is exempt whatever its dev traffic", () => {
    expect(carries({ gain: 1, gainOfOthers: 0.9, userJaccard: 1 })).toBe(false)
    expect(carries({ gain: 0.2, gainOfOthers: 0.19 })).toBe(false)
  })

  it('by their share of the peak where nobody is logged', () => {
    const gain = 2 * environmentGainMin
    expect(carries({ gain, gainOfOthers: gain * environmentLoadMin })).toBe(true)
    expect(carries({ gain, gainOfOthers: gain * environmentLoadMin * 0.9 })).toBe(false)
    expect(carries({ gain: (1 + environmentGainMin) / 2, gainOfOthers: 1 })).toBe(false)
  })

  it('not when no limit is known', () => {
    expect(carries({ gain: null, userJaccard: 1 })).toBe(false)
  })

  it('more surely the more they use: no step back as gain and common users grow', () => {
    const grid = [0, 0.5, 1, 1.1, 1.5, 3, 10]
    for (const userJaccard of [null, 0, 0.1, 0.5, 1]) {
      const verdicts = grid.map((gain) => carries({ gain, gainOfOthers: gain * 0.8, userJaccard }))
      expect(verdicts.lastIndexOf(false)).toBe(verdicts.filter((one) => !one).length - 1)
    }
  })
})

describe('apps that are not production', () => {
  it('are those whose name, or else whose description, says so', () => {
    expect([...notProduction([DEV, STAGING, PROD])]).toEqual(['dev', 'stg'])
    const unnamed = app('x', { name: 'Acme', description: 'For testing.' })
    expect([...notProduction([unnamed, PROD])]).toEqual(['x'])
    expect([...notProduction([app('a'), app('b')])]).toEqual([])
    expect([...notProduction([])]).toEqual([])
  })
})

describe('environment words', () => {
  it.each([
    'Product search',
    'Products & prodigies',
    'Developer tools',
    'Tools for developers',
    'Livestream alerts',
    'Alive and well',
    'Devon weather',
    'Devotion',
    'Contest results',
    'Latest news',
    'Backstage passes',
    'Attestation',
    'Localhost7',
    'Premium',
    '',
  ])('are not in "%s"', (text) => {
    expect(environmentsIn(text)).toEqual([])
  })

  it.each([
    ['acme-dev', ['development']],
    ['acme_DEV_2', ['development']],
    ['Acme: Testing', ['development']],
    ['Acme/stg', ['staging']],
    ['pre-production', ['staging']],
    ['Pre-Prod', ['staging']],
    ['preprod', ['staging']],
    ['pre production', ['staging']],
    ['(PROD)', ['production']],
    ['dev and prod', ['development', 'production']],
  ])('"%s" names %j', (text, environments) => {
    expect(environmentsIn(text)).toEqual(environments)
  })
})
