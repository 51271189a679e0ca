import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { App } from '../../../../services/analyzer/run/apps.ts'
import { judgeExemption } from '../../../../services/analyzer/judgement/exemption.ts'
import { judge, ownersOf, type ClusterFacts, type Verdict } from '../../../../services/analyzer/judgement/policy.ts'
import { isSuccession, type SuccessionRow } from '../../../../services/analyzer/clusters/succession.ts'
import { TUNING } from '../../../../services/analyzer/tuning.ts'
import { app } from '../../../support/analyzer-cases.ts'

function verdict(apps: readonly App[], more: Partial<ClusterFacts> = {}): Verdict {
  const facts = { sharedUserShare: null, elsewhereShares: [0.05], effectiveHours: [23] }
  return judge({ apps, exemption: judgeExemption(apps, TUNING), ...facts, ...more }, TUNING)
}

/** Apps of a person each: `i` owns app `i` and is its one user. */
function personal(count: number, more: Partial<App> = {}): App[] {
  return Array.from({ length: count }, (_, i) =>
    app(`a${i}`, {
      owner_id: `person-${i}`,
      users: 1,
      top_user: `person-${i}`,
      top_user_requests: 990,
      user_requests: 1000,
      ...more,
    }),
  )
}

const withUsers = (users: number, owners: readonly string[] = ['one', 'one', 'one']): App[] =>
  owners.map((owner_id, i) =>
    app(`a${i}`, { owner_id, users, user_requests: 900, top_user_requests: 30, top_user: 'u' }),
  )

describe('the rule that a cluster breaks', () => {
  it('is duplicate apps of a single owner', () => {
    expect(verdict([app('a'), app('b')])).toEqual({ kind: 'violation', policies: ['duplicate_apps_single_owner'] })
  })

  it('is duplicate apps of multiple owners', () => {
    expect(verdict([app('a'), app('b', { owner_id: 'other' })])).toEqual({
      kind: 'violation',
      policies: ['duplicate_apps_multiple_owners'],
    })
  })

  it('is multiple owners when the registry knows none of the apps: nobody is taken for one account', () => {
    const unknown = [app('a', { owner_id: '' }), app('b', { owner_id: '' })]
    expect(verdict(unknown)).toEqual({ kind: 'violation', policies: ['duplicate_apps_multiple_owners'] })
    expect(ownersOf(unknown)).toEqual(['unregistered:a', 'unregistered:b'])
  })

  it('is misuse of the exemption when it is claimed and fails, the duplicates after it', () => {
    const apps = ['a', 'b'].map((id) => app(id, { name: 'Acme (prod)', description: 'Production of Acme.' }))
    expect(verdict(apps)).toEqual({
      kind: 'violation',
      policies: ['environment_exemption_misuse', 'duplicate_apps_single_owner'],
    })
  })

  it('is none when the exemption holds', () => {
    const apps = [
      app('d', { name: 'Acme (dev)', description: 'Development of Acme.', requests: 10 }),
      app('p', { name: 'Acme (prod)', description: 'Production of Acme.' }),
    ]
    expect(verdict(apps)).toEqual({ kind: 'exempt' })
  })
})

describe('a service sharded over apps', () => {
  const sharded = { kind: 'violation', policies: ['service_sharded_across_apps', 'duplicate_apps_single_owner'] }
  const plain = { kind: 'violation', policies: ['duplicate_apps_single_owner'] }

  it('has many users, each in one app', () => {
    expect(verdict(withUsers(200), { sharedUserShare: 0.02 })).toEqual(sharded)
  })

  it('names several owners where there are several', () => {
    expect(verdict(withUsers(200, ['one', 'two', 'two']), { sharedUserShare: 0 })).toEqual({
      kind: 'violation',
      policies: ['service_sharded_across_apps', 'duplicate_apps_multiple_owners'],
    })
  })

  it('is not one whose users are in several of its apps', () => {
    expect(verdict(withUsers(200), { sharedUserShare: 0.11 })).toEqual(plain)
  })

  it('is not one of a few users or of none', () => {
    expect(verdict(withUsers(9), { sharedUserShare: 0 })).toEqual(plain)
    expect(verdict(withUsers(0), { sharedUserShare: null })).toEqual(plain)
  })
})

describe("end users' own keys", () => {
  const supplied = { kind: 'violation', policies: ['end_user_supplied_keys'] }

  it('are five and more apps of a person each, driven from one place around the clock', () => {
    expect(verdict(personal(5))).toEqual(supplied)
    expect(verdict(personal(30))).toEqual(supplied)
  })

  it('are not fewer than five apps', () => {
    expect(verdict(personal(4))).toEqual({ kind: 'violation', policies: ['duplicate_apps_multiple_owners'] })
  })

  it('may be used by another person than their owner, as long as each has one', () => {
    const strangers = personal(8).flatMap((item, i) => [{ ...item, top_user: `customer-${i}` }])
    expect(verdict(strangers)).toEqual(supplied)
  })

  it('are not the apps of one account, nor all of one user', () => {
    expect(verdict(personal(8, { owner_id: 'one' }))).toEqual({
      kind: 'violation',
      policies: ['duplicate_apps_single_owner'],
    })
    expect(verdict(personal(8, { top_user: 'operator' }))).toEqual({
      kind: 'violation',
      policies: ['duplicate_apps_multiple_owners'],
    })
  })

  it('are not apps that serve a crowd', () => {
    expect(verdict(personal(8, { users: 40, top_user_requests: 100 }))).not.toEqual(supplied)
  })

  it('are innocent when the middle app is used elsewhere too: a tool that each person runs at home', () => {
    expect(verdict(personal(8), { elsewhereShares: [0.1, 0.6, 0.9] })).toEqual({
      kind: 'innocent',
      explanation: 'own_tools',
    })
  })

  it('are innocent when people sleep: no traffic around the clock', () => {
    expect(verdict(personal(8), { effectiveHours: [7, 9, 23] })).toEqual({ kind: 'innocent', explanation: 'own_tools' })
  })

  it('are not made innocent by an environment in their names', () => {
    const claimed = personal(6, { name: 'Bot prod', description: 'prod' })
    expect(verdict(claimed)).toEqual(supplied)
  })
})

describe('a move from an old app to its successor', () => {
  const row: SuccessionRow = {
    app_a: 'a',
    app_b: 'b',
    precedence: 0.5,
    trend: 0,
    common_users: 0,
    moved_ab: 0,
    moved_ba: 0,
    undecided: 0,
  }
  const moves = (more: Partial<SuccessionRow>): boolean => isSuccession({ ...row, ...more }, TUNING)

  it('is one app after the other, in either order', () => {
    expect(moves({ precedence: 0.99 })).toBe(true)
    expect(moves({ precedence: 0.01 })).toBe(true)
  })

  it('is not two apps side by side', () => {
    expect(moves({})).toBe(false)
    expect(moves({ precedence: 0.94 })).toBe(false)
    expect(moves({ precedence: 0.06 })).toBe(false)
  })

  it('is traffic that goes over little by little, in either direction', () => {
    expect(moves({ trend: 0.8 })).toBe(true)
    expect(moves({ trend: -0.8 })).toBe(true)
    expect(moves({ trend: 0.79 })).toBe(false)
  })

  it('is users who went over one way, one after another', () => {
    expect(moves({ common_users: 40, moved_ab: 37, undecided: 1 })).toBe(true)
    expect(moves({ common_users: 40, moved_ba: 37, undecided: 1 })).toBe(true)
  })

  it('is not users who go back and forth, nor too few to tell', () => {
    expect(moves({ common_users: 40, moved_ab: 20, moved_ba: 18 })).toBe(false)
    expect(moves({ common_users: 7, moved_ab: 7 })).toBe(false)
    expect(moves({ common_users: 40, moved_ab: 5, undecided: 35 })).toBe(false)
  })

  it('does not depend on which app is called a', () => {
    const rows = fc.record({
      precedence: fc.double({ min: 0, max: 1, noNaN: true }),
      trend: fc.double({ min: -1, max: 1, noNaN: true }),
      moved_ab: fc.nat(30),
      moved_ba: fc.nat(30),
      undecided: fc.nat(30),
    })
    fc.assert(
      fc.property(rows, ({ precedence, trend, moved_ab, moved_ba, undecided }) => {
        const common_users = moved_ab + moved_ba + undecided
        const users = { undecided, common_users }
        const mirrored = { ...users, precedence: 1 - precedence, trend: -trend, moved_ab: moved_ba, moved_ba: moved_ab }
        expect(moves(mirrored)).toBe(moves({ ...users, precedence, trend, moved_ab, moved_ba }))
      }),
      { seed: 1 },
    )
  })
})
