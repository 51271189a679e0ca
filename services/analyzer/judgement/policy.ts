/** Which rule a cluster breaks (policy P1-P6), from what its apps do and who registered them. Pure. */
import type { PolicyCode } from '#schemas/finding.ts'
import type { App } from '../run/apps.ts'
import type { Exemption } from './exemption.ts'
import { median } from '../statistics.ts'
import type { Tuning } from '../tuning.ts'

export interface ClusterFacts {
  readonly apps: readonly App[]
  readonly exemption: Exemption
  /** Share of the cluster's users that are seen in more than one of its apps, 0..1; null without users. */
  readonly sharedUserShare: number | null
  /** Of each app, the share of its traffic on networks that no other member uses, 0..1. */
  readonly elsewhereShares: readonly number[]
  /** Of each app, over how many hours of the day its requests are spread, 1..24. */
  readonly effectiveHours: readonly number[]
}

export type Verdict =
  | { readonly kind: 'violation'; readonly policies: readonly PolicyCode[] }
  | { readonly kind: 'exempt' }
  | { readonly kind: 'innocent'; readonly explanation: 'own_tools' }

export function judge(facts: ClusterFacts, tuning: Tuning): Verdict {
  if (facts.exemption.holds) return { kind: 'exempt' }
  const keyPerUser = isKeyPerUser(facts.apps, tuning)
  if (keyPerUser && areOwnTools(facts, tuning)) return { kind: 'innocent', explanation: 'own_tools' }
  if (keyPerUser && facts.apps.length >= tuning.policy.endUserKeysMin && haveUsers(facts.apps)) {
    return { kind: 'violation', policies: ['end_user_supplied_keys'] }
  }
  const duplicate = ownersOf(facts.apps).length > 1 ? 'duplicate_apps_multiple_owners' : 'duplicate_apps_single_owner'
  if (facts.exemption.claimed) return { kind: 'violation', policies: ['environment_exemption_misuse', duplicate] }
  if (isSharded(facts, tuning)) return { kind: 'violation', policies: ['service_sharded_across_apps', duplicate] }
  return { kind: 'violation', policies: [duplicate] }
}

/** Accounts behind the apps, sorted; an app that the registry lacks counts as an account of its own. */
export function ownersOf(apps: readonly App[]): string[] {
  return [...new Set(apps.map((app) => (app.owner_id === '' ? `unregistered:${app.app_id}` : app.owner_id)))].toSorted()
}

/** One key for each person: apps of one user or none, nearly all of different people and of different owners. */
function isKeyPerUser(apps: readonly App[], { policy }: Tuning): boolean {
  const single = apps.filter((app) => app.top_user_requests >= policy.singleUserShareMin * app.user_requests)
  const people = new Set(single.map((app) => app.top_user || app.owner_id)).size
  const most = policy.keyPerUserShareMin * apps.length
  return single.length >= most && people >= most && ownersOf(apps).length >= most
}

/** Most requests were made for an end user: without users nothing says whose the keys are. */
function haveUsers(apps: readonly App[]): boolean {
  const sum = (of: (app: App) => number) => apps.reduce((total, app) => total + of(app), 0)
  return 2 * sum((app) => app.user_requests) >= sum((app) => app.requests)
}

/**
 * People's own apps, not one operator's keys: the middle app is used elsewhere for the better part, or only in the hours in which a
 * person is awake and at it. A machine room drives its keys from one place, around the clock.
 */
function areOwnTools(facts: ClusterFacts, { policy }: Tuning): boolean {
  return (
    median(facts.elsewhereShares) >= policy.elsewhereShareMin || median(facts.effectiveHours) < policy.machineHoursMin
  )
}

/** One service for many users, each user served through one of the apps. */
function isSharded(facts: ClusterFacts, { policy }: Tuning): boolean {
  const { sharedUserShare } = facts
  const manyUsers = median(facts.apps.map((app) => app.users)) >= policy.manyUsersMin
  return manyUsers && sharedUserShare !== null && sharedUserShare <= policy.partitionSharedMax
}
