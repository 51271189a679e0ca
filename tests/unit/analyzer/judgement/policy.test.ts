import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { judgeExemption } from '../../../../services/analyzer/judgement/exemption.ts'
import {
  isOneOwner,
  judge,
  ownersOf,
  type ClusterFacts,
  type Verdict,
} from '../../../../services/analyzer/judgement/policy.ts'
import type { SnapshotApp } from '../../../../services/analyzer/run/snapshot.ts'
import { TUNING } from '../../../../services/analyzer/tuning.ts'
import { app } from '../../../support/snapshot-cases.ts'

const gainOf = (value: number | null): ClusterFacts['gain'] => ({ value, basis: 'by hand', ofOthers: null })
const QUIET = { gain: null, gainOfOthers: null, userJaccard: null } as const

/** Two and more limits used, corroborated, proven: what is tested is what is taken away. */
function verdict(apps: readonly SnapshotApp[], more: Partial<ClusterFacts> = {}): Verdict {
  const exemption = judgeExemption(apps, QUIET, TUNING)
  const facts = {
    sharedUserShare: null,
    usersHere: new Map<string, number>(),
    isCorroborated: true,
    isByUsersAlone: false,
    hasProof: true,

    gain: gainOf(2.4),
  }
  return judge({ apps, exemption, ...facts, ...more }, TUNING)
}

/** Apps of a person each: `i` owns app `i` and is its one user. */
const personal = (count: number, more: Partial<SnapshotApp> = {}): SnapshotApp[] =>
  Array.from({ length: count }, (_, i) =>
    app(`a${i}`, {
      owner_id: `person-${i}`,
      users: 1,
      top_user: `person-${i}`,
      top_user_requests: 990,
      user_requests: 1000,
      ...more,
    }),
  )

const withUsers = (users: number, owners: readonly string[] = ['one', 'one', 'one']): SnapshotApp[] =>
  owners.map((owner_id, i) =>
    app(`a${i}`, { owner_id, users, user_requests: 900, top_user_requests: 30, top_user: 'u' }),
  )

const violation = (...policies: string[]): unknown => ({ kind: 'violation', policies })

describe('the rule that a cluster breaks', () => {
  it('is duplicate apps of a single owner, or of multiple owners', () => {
    expect(verdict([app('a'), app('b')])).toEqual(violation('duplicate_apps_single_owner'))
    expect(verdict([app('a'), app('b', { owner_id: 'other' })])).toEqual(violation('duplicate_apps_multiple_owners'))
  })

  it('is misuse of the exemption when it is claimed and fails, the duplicates after it', () => {
    const apps = ['a', 'b'].map((id) => app(id, { name: 'Acme (prod)', description: 'Production of Acme.' }))
    expect(verdict(apps)).toEqual(violation('environment_exemption_misuse', 'duplicate_apps_single_owner'))
  })

  it('is none when the exemption holds', () => {
    const apps = [
      app('d', { name: 'Acme (dev)', description: 'Development of Acme.', requests: 10 }),
      app('p', { name: 'Acme (prod)', description: 'Production of Acme.' }),
    ]
    expect(verdict(apps)).toEqual({ kind: 'exempt' })
  })
})

describe('owners', () => {
  it('that are unknown are neither counted nor taken for one', () => {
    const unknown = [app('a', { owner_id: '' }), app('b', { owner_id: '' })]
    expect(ownersOf(unknown)).toEqual([])
    expect(isOneOwner(unknown)).toBe(false)
    expect(isOneOwner([app('a'), app('b', { owner_id: '' })])).toBe(false)
    expect(isOneOwner([app('a'), app('b')])).toBe(true)
    expect(verdict(unknown)).toEqual(violation('duplicate_apps_multiple_owners'))
  })
})

describe("one account's duplicates", () => {
  const related = { kind: 'innocent', explanation: 'related' }

  it("are related apps, and no finding, within one app's limit", () => {
    expect(verdict([app('a'), app('b')], { gain: gainOf(TUNING.policy.gainMin) })).toEqual(related)
  })

  it('are no finding when no limit is known', () => {
    expect(verdict([app('a'), app('b')], { gain: gainOf(null) })).toEqual(related)
  })

  it('are no finding when only the account and what they do link them', () => {
    expect(verdict([app('a'), app('b')], { isCorroborated: false })).toEqual(related)
  })

  it('of several accounts need no gain: the breach is the arrangement', () => {
    const apps = [app('a'), app('b', { owner_id: 'other' })]
    expect(verdict(apps, { gain: gainOf(0.1) })).toEqual(violation('duplicate_apps_multiple_owners'))
  })

  it('are no finding when only users in common link them, as competitors have, within one limit', () => {
    const apps = [app('a', { owner_id: 'one' }), app('b', { owner_id: 'other' })]
    expect(verdict(apps, { isByUsersAlone: true, gain: gainOf(0.9) })).toEqual(related)
    expect(verdict(apps, { isByUsersAlone: true, gain: gainOf(null) })).toEqual(related)
    expect(verdict(apps, { isByUsersAlone: true })).toEqual(violation('duplicate_apps_multiple_owners'))
  })

  it('are a finding from some gain on, and at every larger one', () => {
    const kinds = [0, 0.5, 1, 1.01, 2, 50].map((value) => verdict([app('a'), app('b')], { gain: gainOf(value) }).kind)
    expect(kinds).toEqual(['innocent', 'innocent', 'innocent', 'violation', 'violation', 'violation'])
  })
})

describe('a service sharded over apps', () => {
  it('has many users, each in one app', () => {
    const policies = ['service_sharded_across_apps', 'duplicate_apps_single_owner'] as const
    expect(verdict(withUsers(200), { sharedUserShare: 0.02 })).toEqual(violation(...policies))
  })

  it('names several owners where there are several', () => {
    expect(verdict(withUsers(200, ['one', 'two', 'two']), { sharedUserShare: 0 })).toEqual(
      violation('service_sharded_across_apps', 'duplicate_apps_multiple_owners'),
    )
  })

  it('is not one whose users are in several of its apps, nor one of a few users or of none', () => {
    const plain = violation('duplicate_apps_single_owner')
    const { partitionSharedMax, manyUsersMin } = TUNING.policy
    expect(verdict(withUsers(200), { sharedUserShare: partitionSharedMax + 0.01 })).toEqual(plain)
    expect(verdict(withUsers(manyUsersMin - 1), { sharedUserShare: 0 })).toEqual(plain)
    expect(verdict(withUsers(0), { sharedUserShare: null })).toEqual(plain)
  })
})

describe("end users' own keys", () => {
  const supplied = violation('end_user_supplied_keys')
  const { endUserKeysMin } = TUNING.policy

  it('are apps of a person each that one hand drives; no gain is needed', () => {
    expect(verdict(personal(endUserKeysMin))).toEqual(supplied)
    expect(verdict(personal(30), { gain: gainOf(0.01) })).toEqual(supplied)
  })

  it("without proof of one hand are each person's own tool, however many there are", () => {
    for (const count of [2, endUserKeysMin, 300]) {
      expect(verdict(personal(count), { hasProof: false })).toEqual({ kind: 'innocent', explanation: 'own_tools' })
    }
  })

  it('are not fewer than five apps', () => {
    expect(verdict(personal(endUserKeysMin - 1))).toEqual(violation('duplicate_apps_multiple_owners'))
  })

  it('may be used by another person than their owner, as long as each has one', () => {
    const strangers = personal(8).map((item, i) => Object.assign(item, { top_user: `customer-${i}` }))
    expect(verdict(strangers)).toEqual(supplied)
  })

  it('are not the apps of one account, nor all of one user, nor apps that serve a crowd', () => {
    expect(verdict(personal(8, { owner_id: 'one' }))).toEqual(violation('duplicate_apps_single_owner'))
    expect(verdict(personal(8, { top_user: 'operator' }))).toEqual(violation('duplicate_apps_multiple_owners'))
    expect(verdict(personal(8, { users: 40, top_user_requests: 100 }))).not.toEqual(supplied)
  })

  it('are not said to be so when nobody is logged: nothing tells whose keys they are', () => {
    const nobody = personal(8, { users: 0, top_user: '', top_user_requests: 0, user_requests: 0 })
    expect(verdict(nobody)).toEqual(violation('duplicate_apps_multiple_owners'))
  })

  it('are not made innocent by an environment in their names', () => {
    expect(verdict(personal(6, { name: 'Bot prod', description: 'prod' }))).toEqual(supplied)
  })
})

describe('a verdict', () => {
  it('does not depend on the order of the apps', () => {
    const apps = [...personal(5), ...withUsers(12, ['one', 'two'])].map((item, i) =>
      Object.assign(item, { app_id: `x${i}` }),
    )
    const orders = fc.shuffledSubarray(apps, { minLength: 2 })
    fc.assert(
      fc.property(orders, fc.boolean(), (some, hasProof) => {
        expect(verdict(some.toReversed(), { hasProof })).toEqual(verdict(some, { hasProof }))
      }),
      { seed: 1 },
    )
  })
})

describe('apps of several accounts that only users in common link', () => {
  const twoOwners = [app('a', { owner_id: 'one', users: 40 }), app('b', { owner_id: 'other', users: 50 })]

  it('are competitors while one app could have done it', () => {
    expect(verdict(twoOwners, { isByUsersAlone: true, gain: gainOf(0.6) })).toMatchObject({ kind: 'innocent' })
    expect(verdict(twoOwners, { isByUsersAlone: true, gain: gainOf(null) })).toMatchObject({ kind: 'innocent' })
  })

  it('are one when together they exceed what one app may use', () => {
    expect(verdict(twoOwners, { isByUsersAlone: true, gain: gainOf(2) })).toMatchObject({ kind: 'violation' })
  })
})
