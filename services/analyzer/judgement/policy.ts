/** Which rule a cluster breaks (policy P1-P6), from what its apps do and who registered them. Pure. */
import type { PolicyCode } from '#schemas/finding.ts'
import type { SnapshotApp } from '../run/snapshot.ts'
import { median } from '../statistics.ts'
import type { Tuning } from '../tuning.ts'
import type { Exemption } from './exemption.ts'
import { areKeysOfMany } from './keys.ts'
import type { Gain } from './materiality.ts'

export interface ClusterFacts {
  readonly apps: readonly SnapshotApp[]
  readonly exemption: Exemption
  readonly gain: Gain
  /** Share of the cluster's users that are seen in more than one of its apps, 0..1; null without users. */
  readonly sharedUserShare: number | null
  /** End users seen on the places where the members run, by app id. */
  readonly usersHere: ReadonlyMap<string, number>
  /** Something beside the account and the mix says that the apps work together. */
  readonly isCorroborated: boolean
  /** Nothing but users in common says that there is one operator: competitors have them too. */
  readonly isByUsersAlone: boolean
  /** One process drives the keys, or they are borrowed, or they work in turns: proof of one hand. */
  readonly hasProof: boolean
}

export type Verdict =
  | { readonly kind: 'violation'; readonly policies: readonly PolicyCode[] }
  | { readonly kind: 'exempt' }
  /** own_tools: each person's own copy of one program. related: one account's, within one app's limit. */
  | { readonly kind: 'innocent'; readonly explanation: 'own_tools' | 'related' }

/** Accounts behind the apps, sorted; unknown ones are left out. */
export function ownersOf(apps: readonly SnapshotApp[]): string[] {
  return [...new Set(apps.map((app) => app.owner_id).filter((owner) => owner !== ''))].toSorted()
}

/** All members are registered to one account that is known. */
export function isOneOwner(apps: readonly SnapshotApp[]): boolean {
  return apps.every((app) => app.owner_id !== '' && app.owner_id === apps[0]?.owner_id)
}

/** One service for many users, each user served through one of the apps. */
export function isSharded(apps: readonly SnapshotApp[], sharedUserShare: number | null, { policy }: Tuning): boolean {
  const manyUsers = median(apps.map((app) => app.users)) >= policy.manyUsersMin
  return manyUsers && sharedUserShare !== null && sharedUserShare <= policy.partitionSharedMax
}

/** Most requests were made for an end user: without users nothing says whose the keys are. */
function haveUsers(apps: readonly SnapshotApp[]): boolean {
  const sum = (of: (app: SnapshotApp) => number): number => apps.reduce((total, app) => total + of(app), 0)
  return 2 * sum((app) => app.user_requests) >= sum((app) => app.requests)
}

export function judge(facts: ClusterFacts, tuning: Tuning): Verdict {
  const { apps, exemption, gain, hasProof } = facts
  if (exemption.holds) return { kind: 'exempt' }
  const isOne = isOneOwner(apps)
  const isMaterial = gain.value !== null && gain.value > tuning.policy.gainMin
  if (isOne && (!isMaterial || !facts.isCorroborated)) return { kind: 'innocent', explanation: 'related' }
  // Competitors of one market share most of their customers; what they do not do is exceed one app's limit together.
  if (!isOne && facts.isByUsersAlone && !isMaterial) return { kind: 'innocent', explanation: 'related' }
  if (!isOne && areKeysOfMany(apps, facts.usersHere, tuning)) {
    if (!hasProof) return { kind: 'innocent', explanation: 'own_tools' }
    if (apps.length >= tuning.policy.endUserKeysMin && haveUsers(apps)) {
      return { kind: 'violation', policies: ['end_user_supplied_keys'] }
    }
  }
  const duplicate = isOne ? 'duplicate_apps_single_owner' : 'duplicate_apps_multiple_owners'
  if (exemption.claimed) return { kind: 'violation', policies: ['environment_exemption_misuse', duplicate] }
  if (isSharded(apps, facts.sharedUserShare, tuning))
    return { kind: 'violation', policies: ['service_sharded_across_apps', duplicate] }
  return { kind: 'violation', policies: [duplicate] }
}
