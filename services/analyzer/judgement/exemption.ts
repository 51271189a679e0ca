/**
 * The single exemption (policy P6): at most 3 apps as development, staging and production of one service, all of one account, each
 * clearly identified as such in its name AND in its description. When it is claimed and fails, the finding names the conditions.
 */
import type { ExemptionFailure } from '#schemas/finding.ts'
import type { App } from '../run/apps.ts'
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
function environmentsOfNames(apps: readonly App[]): Environment[][] {
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

export function judgeExemption(apps: readonly App[], { policy }: Tuning): Exemption {
  const claims = apps.filter((app) => environmentsIn(app.name).length > 0 || environmentsIn(app.description).length > 0)
  const claimed = claims.length >= 2 && claims.length * 2 >= apps.length
  if (!claimed) return { claimed: false, failures: [], holds: false }

  const inNames = environmentsOfNames(apps)
  const named = apps.map((app, i) => ({
    app,
    inName: inNames[i] ?? [],
    inDescription: environmentsIn(app.description),
  }))
  const environments = named.map(({ inName, inDescription }) => inName[0] ?? inDescription[0])
  const known = environments.filter((environment) => environment !== undefined)
  const load = (production: boolean) =>
    named
      .filter((_, i) => (environments[i] === 'production') === production)
      .reduce((sum, { app }) => sum + app.requests, 0)
  const checks: readonly (readonly [ExemptionFailure, boolean])[] = [
    ['more_than_three_apps', apps.length > policy.environmentAppsMax],
    ['more_than_one_owner', new Set(apps.map((app) => app.owner_id)).size > 1],
    ['environment_missing_from_name', named.some(({ inName }) => inName.length === 0)],
    [
      'environment_missing_from_description',
      named.some(
        ({ inName, inDescription }) => !inDescription.some((word) => inName.length === 0 || inName.includes(word)),
      ),
    ],
    ['environment_claimed_twice', new Set(known).size < known.length],
    [
      'non_production_carries_production_load',
      known.includes('production') && load(false) > policy.nonProductionShareMax * load(true),
    ],
  ]
  const failures = checks.filter(([, failed]) => failed).map(([failure]) => failure)
  return { claimed, failures, holds: failures.length === 0 }
}
