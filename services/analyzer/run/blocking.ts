/**
 * Blocking: which pairs are looked at, by a union of rules, each capped by its strongest pairs, each reporting its count. Never all pairs.
 */
import type { Place } from './places.ts'
import type { Snapshot } from './snapshot.ts'
import type { Tuning } from '../tuning.ts'

export interface BlockedPairs {
  /** Pairs (a < b) with the rules that proposed each. */
  readonly pairs: ReadonlyMap<string, { readonly a: number; readonly b: number; readonly rules: readonly string[] }>
  readonly countByRule: ReadonlyMap<string, number>
  /** Rules that had more pairs than their cap, with how many they had. */
  readonly capped: ReadonlyMap<string, number>
}

/** Pairs of a rule with their strength: larger is stronger. */
type Proposals = Map<string, number>

function propose(proposals: Proposals, one: number, other: number, strength: number): void {
  if (one === other) return
  const key = one < other ? `${one} ${other}` : `${other} ${one}`
  proposals.set(key, (proposals.get(key) ?? 0) + strength)
}

function allPairs(
  proposals: Proposals,
  apps: readonly number[],
  strength: (one: number, other: number) => number,
): void {
  for (let i = 0; i < apps.length; i += 1) {
    for (let j = i + 1; j < apps.length; j += 1) {
      const [one, other] = [apps[i] ?? -1, apps[j] ?? -1]
      propose(proposals, one, other, strength(one, other))
    }
  }
}

/** Apps that run at one place: each with a part of its traffic that counts there. */
function coResidents(places: readonly Place[], { blocking }: Tuning): Proposals {
  const proposals: Proposals = new Map()
  for (const place of places) {
    const shares = new Map(
      place.residents
        .filter(
          (stream) => stream.share >= blocking.residentShareMin || stream.mix.total >= blocking.residentRequestsMin,
        )
        .map((stream) => [stream.app, stream.share]),
    )
    if (shares.size > blocking.residentsMax) continue
    allPairs(
      proposals,
      [...shares.keys()],
      (one, other) => Math.min(shares.get(one) ?? 0, shares.get(other) ?? 0) / Math.log2(1 + shares.size),
    )
  }
  return proposals
}

function sharedUsers({ users }: Snapshot, tuning: Tuning): Proposals {
  const proposals: Proposals = new Map()
  for (const { apps } of users) {
    if (apps.length > tuning.users.popularApps) continue
    // A shared key is worth 1 / log2 of its degree (FRAUDAR, KDD 2016).
    allPairs(proposals, apps, () => 1 / Math.log2(apps.length))
  }
  for (const [key, weight] of proposals) if (weight < tuning.blocking.userWeightMin) proposals.delete(key)
  return proposals
}

function sameValue(
  snapshot: Snapshot,
  valuesOf: (app: Snapshot['apps'][number]) => readonly string[],
  groupMax: number,
): Proposals {
  const apps = new Map<string, number[]>()
  for (const [i, app] of snapshot.apps.entries()) {
    for (const value of valuesOf(app)) {
      if (value === '') continue
      const known = apps.get(value)
      if (known === undefined) apps.set(value, [i])
      else known.push(i)
    }
  }
  const proposals: Proposals = new Map()
  for (const group of apps.values()) if (group.length <= groupMax) allPairs(proposals, group, () => 1 / group.length)
  return proposals
}

export function blockPairs(
  snapshot: Snapshot,
  places: readonly Place[],
  byTime: readonly { readonly a: number; readonly b: number; readonly bits: number }[],
  tuning: Tuning,
): BlockedPairs {
  const { groupMax, pairsPerRuleMax } = tuning.blocking
  const handOvers: Proposals = new Map()
  for (const { a, b, bits } of byTime) propose(handOvers, a, b, bits)
  const rules: readonly (readonly [string, Proposals])[] = [
    ['co_residents', coResidents(places, tuning)],
    ['shared_users', sharedUsers(snapshot, tuning)],
    ['same_owner', sameValue(snapshot, (app) => [app.owner_id], groupMax)],
    ['same_name', sameValue(snapshot, (app) => [app.stem], tuning.registry.appsMax)],
    ['same_domain', sameValue(snapshot, (app) => app.domains, tuning.registry.appsMax)],
    ['hand_over', handOvers],
  ]
  const pairs = new Map<string, { a: number; b: number; rules: string[] }>()
  const countByRule = new Map<string, number>()
  const capped = new Map<string, number>()
  for (const [rule, proposals] of rules) {
    let kept = [...proposals]
    if (kept.length > pairsPerRuleMax) {
      capped.set(rule, kept.length)
      kept = kept.toSorted(([x, s], [y, t]) => t - s || (x < y ? -1 : 1)).slice(0, pairsPerRuleMax)
    }
    countByRule.set(rule, kept.length)
    for (const [key] of kept) {
      const known = pairs.get(key)
      if (known !== undefined) {
        known.rules.push(rule)
        continue
      }
      const [a = 0, b = 0] = key.split(' ').map(Number)
      pairs.set(key, { a, b, rules: [rule] })
    }
  }
  return { pairs, countByRule, capped }
}
