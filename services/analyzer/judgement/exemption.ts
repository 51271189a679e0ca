/**
 * The single exemption (policy P6): at most 3 apps as development, staging and production of one service, all of one account, each
 * clearly identified as such in its name AND in its description. When it is claimed and fails, the finding names the conditions.
 */
import type { ExemptionFailure } from '#schemas/finding.ts'
import type { SnapshotApp } from '../run/snapshot.ts'
import type { Tuning } from '../tuning.ts'

export type Environment = 'development' | 'staging' | 'production'

const WORDS: readonly (readonly [Environment, RegExp])[] = [
  ['development', /(?<![\p{L}])(dev|devel|develop|development|test|testing|sandbox|local)(?![\p{L}])/iu],
  ['staging', /(?<![\p{L}])(stage|staging|stg|uat|qa|pre[- ]?prod(?:uction)?)(?![\p{L}])/iu],
  ['production', /(?<![\p{L}])(?<!pre[- ])(prod|production|prd|live)(?![\p{L}])/iu],
]

/** Environments that a text names. */
export function environmentsIn(text: string): Environment[] {
  return WORDS.filter(([, words]) => words.test(text)).map(([environment]) => environment)
}

/** Environments that each app's name claims. A word that all names hold ("Test Kitchen") is the service's name, where another is left. */
function environmentsOfNames(apps: readonly SnapshotApp[]): Environment[][] {
  const named = apps.map((app) => environmentsIn(app.name))
  const isCommon = (environment: Environment) => named.every((list) => list.includes(environment))
  return named.map((list) => {
    const own = list.filter((environment) => !isCommon(environment))
    return own.length > 0 ? own : list
  })
}

export interface Exemption {
  /** At least two members, and at least half of them, name an environment. */
  readonly claimed: boolean
  readonly failures: readonly ExemptionFailure[]
  /** Claimed and without failures. */
  readonly holds: boolean
}

/** What the dev and staging apps do, for the second half of the question: do they carry production's load? */
export interface EnvironmentUse {
  /** Peak use of the whole group / what one app may use; null when limits are unknown. */
  readonly gain: number | null
  /** The same of dev and staging alone. */
  readonly gainOfOthers: number | null
  /** Jaccard index of the users of production and of the others; null when a side has none. */
  readonly userJaccard: number | null
}

/** Ids of the apps that do not claim to be production. */
export function notProduction(apps: readonly SnapshotApp[]): Set<string> {
  const inNames = environmentsOfNames(apps)
  return new Set(
    apps
      .filter((app, i) => (inNames[i]?.[0] ?? environmentsIn(app.description)[0] ?? 'production') !== 'production')
      .map((app) => app.app_id),
  )
}

/**
 * Dev and staging that carry production load: together they exceed one app's limit, and the people behind dev and staging are production's own
 * (a few testers otherwise). Without users on one side their share of the peak has to say it. A tiny product is exempt whatever its dev traffic.
 */
function carriesProductionLoad(use: EnvironmentUse, { policy }: Tuning): boolean {
  if (use.gain === null || use.gain <= 1) return false
  if (use.userJaccard !== null) return use.userJaccard >= policy.environmentUsersMin
  return (use.gainOfOthers ?? 0) >= policy.environmentLoadMin * use.gain && use.gain >= policy.environmentGainMin
}

export function judgeExemption(apps: readonly SnapshotApp[], use: EnvironmentUse, tuning: Tuning): Exemption {
  const claims = apps.filter((app) => environmentsIn(app.name).length > 0 || environmentsIn(app.description).length > 0)
  const claimed = claims.length >= 2 && claims.length * 2 >= apps.length
  if (!claimed) return { claimed: false, failures: [], holds: false }
  const inNames = environmentsOfNames(apps)
  const named = apps.map((app, i) => ({ inName: inNames[i] ?? [], inDescription: environmentsIn(app.description) }))
  const environments = named.map(({ inName, inDescription }) => inName[0] ?? inDescription[0])
  const known = environments.filter((environment) => environment !== undefined)
  const checks: readonly (readonly [ExemptionFailure, boolean])[] = [
    ['more_than_three_apps', apps.length > tuning.policy.environmentAppsMax],
    ['more_than_one_owner', new Set(apps.map((app) => app.owner_id).filter((owner) => owner !== '')).size > 1],
    ['environment_missing_from_name', named.some(({ inName }) => inName.length === 0)],
    [
      'environment_missing_from_description',
      named.some(
        ({ inName, inDescription }) => !inDescription.some((word) => inName.length === 0 || inName.includes(word)),
      ),
    ],
    ['environment_claimed_twice', new Set(known).size < known.length],
    ['non_production_carries_production_load', carriesProductionLoad(use, tuning)],
  ]
  const failures = checks.filter(([, failed]) => failed).map(([failure]) => failure)
  return { claimed, failures, holds: failures.length === 0 }
}
