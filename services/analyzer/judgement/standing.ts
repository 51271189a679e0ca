/**
 * Every member must stand on the evidence that binds the others. Whoever was drawn in from outside (framed, or its key stolen) shares one trace
 * and lacks the one that the ring cannot help leaving.
 */
import type { DraftCluster } from '../clusters/assemble.ts'
import type { PairContext } from '../evidence/pair-facts.ts'
import { remainder, temper } from '../evidence/route-mix.ts'

export interface Standing {
  /** App numbers that the cluster consists of, ascending. */
  readonly members: readonly number[]
  /** Drawn in: used from the ring's places unlike its own life, or bound by traces that others could make. */
  readonly victims: readonly number[]
}

/** Of each member, the share of its requests on places where at least two others of the cluster run (one, in a pair). */
export function commonTraffic(context: PairContext, apps: readonly number[]): Map<number, number> {
  const here = new Map<number, number>()
  for (const app of apps)
    for (const place of context.residences[app]?.keys() ?? []) here.set(place, (here.get(place) ?? 0) + 1)
  const least = Math.min(apps.length, 3)
  return new Map(
    apps.map((app) => [
      app,
      [...(context.residences[app] ?? [])]
        .filter(([place]) => (here.get(place) ?? 0) >= least)
        .reduce((sum, [, stream]) => sum + stream.share, 0),
    ]),
  )
}

/** Of each member, how many other members it has users in common with. */
function userPartners(context: PairContext, apps: readonly number[]): Map<number, number> {
  return new Map(
    apps.map((app) => {
      const own = context.userRequests[app]
      const partners = apps.filter((other) => {
        if (other === app || own === undefined) return false
        let common = 0
        for (const user of context.userRequests[other]?.keys() ?? []) if (own.has(user)) common += 1
        return common >= 2
      })
      return [app, partners.length] as const
    }),
  )
}

/** A member that lives elsewhere, differently: most of its requests are not on the common places, and they are another use case. */
function isStolen(context: PairContext, app: number, share: number, places: ReadonlySet<number>): boolean {
  if (share > 0.5) return false
  const { snapshot, model, tuning, residences } = context
  const whole = snapshot.apps[app]?.mix
  if (whole === undefined) return false
  const streams = [...(residences[app] ?? [])].filter(([place]) => places.has(place)).map(([, stream]) => stream.mix)
  const elsewhere = remainder(whole, streams)
  const life = temper(elsewhere, tuning.routeMix.temper)
  const here = temper(remainder(whole, [elsewhere]), tuning.routeMix.temper)
  if (life.total < tuning.groups.requestsMin || here.total < tuning.groups.requestsMin) return false
  return model.logProbability(here, life) - model.logProbability(here) < tuning.policy.borrowedBitsMax
}

/** `areLent`: most members' keys are used here beside lives of their own: then they are the arrangement, not its victims. */
export function standing(context: PairContext, cluster: DraftCluster, areLent: boolean): Standing {
  const { snapshot, tuning, residences } = context
  const { apps } = cluster
  const traffic = commonTraffic(context, apps)
  const partners = userPartners(context, apps)
  const owners = new Map<string, number>()
  for (const app of apps) {
    const owner = snapshot.apps[app]?.owner_id ?? ''
    if (owner !== '') owners.set(owner, (owners.get(owner) ?? 0) + 1)
  }
  const isOfOwner = (app: number): boolean => (owners.get(snapshot.apps[app]?.owner_id ?? '') ?? 0) >= 2
  const withUsers = apps.filter((app) => (partners.get(app) ?? 0) > 0).length
  const there = apps.filter((app) => (traffic.get(app) ?? 0) >= tuning.policy.standingShare).length
  const places = new Set(
    apps
      .flatMap((app) => [...(residences[app]?.keys() ?? [])])
      .filter((place) => {
        const count = apps.filter((app) => residences[app]?.has(place) === true).length
        return count >= Math.min(apps.length, 3)
      }),
  )
  const victims = apps.filter((app) => {
    const lacksUsers = withUsers >= apps.length * tuning.policy.standingUsersMin && (partners.get(app) ?? 0) === 0
    const lacksPlaces =
      there >= apps.length * tuning.policy.standingPlacesMin && (traffic.get(app) ?? 0) < tuning.policy.standingShareMin
    if ((lacksUsers && lacksPlaces) || ((lacksUsers || lacksPlaces) && !isOfOwner(app))) return true
    return !areLent && apps.length >= 3 && !isOfOwner(app) && isStolen(context, app, traffic.get(app) ?? 0, places)
  })
  const members = apps.filter((app) => !victims.includes(app))
  return members.length >= 2 ? { members, victims } : { members: apps, victims: [] }
}
