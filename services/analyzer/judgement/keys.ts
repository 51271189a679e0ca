/**
 * Keys of many people in one room: end users' own keys under one driver (P5), or people's own copies of one program?
 *
 * Networks, mixes and programs are the same for both. One process (signals/timing/one-process.ts) proves a driver; so do borrowed keys: most
 * streams here are unlike their own lives elsewhere, and those lives are unlike each other. Without either there is no finding.
 */
import type { PairContext } from '../evidence/pair-facts.ts'
import { remainder, temper, type TemperedMix } from '../evidence/route-mix.ts'
import type { Counts, SnapshotApp } from '../run/snapshot.ts'
import type { Tuning } from '../tuning.ts'

/** An app of one person: nearly all of its requests with a user are for one, or it has no users at all. */
export function isSingleUser(app: SnapshotApp, { policy }: Tuning): boolean {
  return app.user_requests === 0 || app.top_user_requests >= policy.singleUserShareMin * app.user_requests
}

/**
 * Most members are keys of one person each, of different people and accounts. `usersHere`: end users seen on the places where the members run, by
 * app id: a borrowed key may have many users elsewhere.
 */
export function areKeysOfMany(
  apps: readonly SnapshotApp[],
  usersHere: ReadonlyMap<string, number>,
  tuning: Tuning,
): boolean {
  const single = apps.filter((app) => {
    const here = usersHere.get(app.app_id)
    return here === undefined ? isSingleUser(app, tuning) : here < 1.5 || isSingleUser(app, tuning)
  })
  if (single.length < tuning.policy.keyPerUserShareMin * apps.length) return false
  const owners = new Set(single.map((app) => (app.owner_id === '' ? app.app_id : app.owner_id))).size
  const people = new Set(single.map((app) => app.top_user || app.owner_id || app.app_id)).size
  const least = tuning.policy.keyPerUserShareMin * single.length
  return owners >= least && people >= least
}

export interface Borrowed {
  /** Members whose stream here is unlike their own life elsewhere. */
  readonly apps: readonly number[]
  /** Of the members with a life elsewhere that can be compared, 0..1. */
  readonly share: number
  /** Share of pairs of those lives that are alike, 0..1. */
  readonly livesAlike: number
  /** The same of any two apps of this platform: where there are few use cases, strangers are often alike. */
  readonly strangersAlike: number
}

/** Share of pairs of any two apps that are alike: each of the world with the next few. */
function strangersAlike({ model, tuning }: PairContext): number {
  const { world } = model
  let alike = 0
  let pairs = 0
  for (const [i, one] of world.entries()) {
    for (const step of [1, 7, 31]) {
      const other = world[(i + step) % world.length]
      if (other === undefined || other === one) continue
      pairs += 1
      if (model.logProbability(other, one) - model.logProbability(other) > tuning.groups.letInBits) alike += 1
    }
  }
  return pairs === 0 ? 0 : alike / pairs
}

/** Own lives of the members against what they do here. `here`: of each app, its mix on the group's places. */
export function borrowedKeys(context: PairContext, here: ReadonlyMap<number, Counts>): Borrowed | undefined {
  const { model, snapshot, tuning } = context
  const { temper: size } = tuning.routeMix
  const lives: { readonly app: number; readonly life: TemperedMix; readonly isUnlike: boolean }[] = []
  for (const [app, mix] of here) {
    const whole = snapshot.apps[app]?.mix
    if (whole === undefined) continue
    const elsewhere = remainder(whole, [mix])
    if (elsewhere.total < tuning.groups.requestsMin || mix.total < tuning.groups.requestsMin) continue
    const life = temper(elsewhere, size)
    const stream = temper(mix, size)
    const bits = Math.min(
      model.logProbability(stream, life) - model.logProbability(stream),
      model.logProbability(life, stream) - model.logProbability(life),
    )
    lives.push({ app, life, isUnlike: bits < tuning.policy.borrowedBitsMax })
  }
  if (lives.length < tuning.policy.borrowedMin || lives.length * 2 < here.size) return undefined
  const borrowed = lives.filter((one) => one.isUnlike)
  let alike = 0
  let pairs = 0
  for (const [i, one] of borrowed.entries()) {
    for (const other of borrowed.slice(i + 1)) {
      pairs += 1
      if (model.logProbability(other.life, one.life) - model.logProbability(other.life) > tuning.groups.letInBits)
        alike += 1
    }
  }
  return {
    apps: borrowed.map((one) => one.app),
    share: borrowed.length / lives.length,
    livesAlike: pairs === 0 ? 1 : alike / pairs,
    strangersAlike: strangersAlike(context),
  }
}

export function areBorrowed(borrowed: Borrowed | undefined, { policy }: Tuning): boolean {
  return (
    borrowed !== undefined &&
    borrowed.share >= policy.borrowedShareMin &&
    borrowed.livesAlike <= policy.livesAlikeMax + borrowed.strangersAlike
  )
}
