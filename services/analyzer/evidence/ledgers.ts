/**
 * Two ledgers in bits (log2 odds). *One operator?* counts what an operator cannot help leaving: places, users, hand-overs in time, the account,
 * programs and names of the house. *One use case?* counts what the apps do: route mix, the same users served, alternation in time. Both have to
 * stand on their own; contradiction in the second vetoes whatever the first says.
 *
 * u, how often unrelated pairs have as much in common, is measured on this platform: on pairs whose route mixes contradict each other. They are
 * no one's copies, and they share hosts, pools, people and habits as strangers do here. m, how often pairs that are one have it, is in the tuning.
 */
import type { PairFacts } from './pair-facts.ts'
import type { Part, Tuning } from '../tuning.ts'

export interface LedgerEntry {
  readonly signal: 'place' | 'users' | 'agent' | 'name' | 'domain' | 'owner' | 'mix' | 'hand_over' | 'alternation'
  readonly bits: number
}

export interface PairLedgers {
  readonly facts: PairFacts
  readonly operator: readonly LedgerEntry[]
  readonly useCase: readonly LedgerEntry[]
  /** Log2 odds of each question, prior included. */
  readonly operatorBits: number
  readonly useCaseBits: number
  /** Evidence beside what is free to copy (programs, names, mixes). */
  readonly isAnchored: boolean
}

/** Degree class of a common place: how many run there. */
export type PlaceLevel = 'two' | 'few' | 'several' | 'many'
export type ShareLevel = 'most' | 'much' | 'some' | 'trace'

export function placeLevel(residents: number): PlaceLevel {
  if (residents <= 2) return 'two'
  if (residents <= 4) return 'few'
  return residents <= 12 ? 'several' : 'many'
}

export function shareLevel(share: number): ShareLevel {
  if (share >= 0.5) return 'most'
  if (share >= 0.15) return 'much'
  return share >= 0.03 ? 'some' : 'trace'
}

/** The strongest common place: by exclusivity, then by the lesser share of traffic. */
export function placeKey(facts: PairFacts): string | undefined {
  const rank = { two: 3, few: 2, several: 1, many: 0 } as const
  let best: { readonly key: string; readonly value: number } | undefined
  for (const { place, shareA, shareB } of facts.places) {
    const level = placeLevel(place.residents.length)
    const share = Math.min(shareA, shareB)
    const value = rank[level] + Math.min(1, share) * 2
    if (best === undefined || value > best.value) best = { key: `${level}/${shareLevel(share)}`, value }
  }
  return best?.key
}

export function usersKey(facts: PairFacts): string | undefined {
  const { users } = facts
  if (users === undefined || users.users < 2 || users.p > 1e-3) return undefined
  const share = users.share >= 0.6 ? 'most' : users.share >= 0.3 ? 'much' : users.share >= 0.1 ? 'some' : 'trace'
  const count = users.users >= 5 ? 'many' : 'few'
  return `${share}/${count}`
}

export interface Background {
  /** log2(m / u) of each level. */
  readonly placeBits: ReadonlyMap<string, number>
  readonly usersBits: ReadonlyMap<string, number>
}

/** Measures u on pairs that contradict each other in what they do. `allPairs`: how many pairs the platform has. */
export function measureBackground(pairs: readonly PairFacts[], allPairs: number, { ledgers }: Tuning): Background {
  const strangers = pairs.filter(
    (pair) => !pair.isSameOwner && pair.mixBits !== undefined && pair.mixBits <= ledgers.strangersMixBits,
  )
  const bits = (
    keyOf: (facts: PairFacts) => string | undefined,
    m: Readonly<Record<string, number>>,
  ): Map<string, number> => {
    const counts = new Map<string, number>()
    for (const pair of strangers) {
      const key = keyOf(pair)
      if (key !== undefined) counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    // Strangers whose mixes happen to be alike are missing in the count: they are a known share of all strangers.
    return new Map(
      Object.entries(m).map(([key, share]) => {
        const u = ((counts.get(key) ?? 0) + 1) / ledgers.strangersSeenShare / allPairs
        return [key, Math.min(ledgers.familyCapBits, Math.max(0, Math.log2(share / u)))]
      }),
    )
  }
  return { placeBits: bits(placeKey, ledgers.placeM), usersBits: bits(usersKey, ledgers.usersM) }
}

export interface TimingBits {
  readonly handOverBits: number
  readonly alternationBits: number
}

/** Both ledgers of a pair. `isCrowdedOut`: its common places count against their background only (exclusivity). */
export function openLedgers(
  facts: PairFacts,
  timing: TimingBits | undefined,
  background: Background,
  apps: number,
  isCrowdedOut: boolean,
  without: ReadonlySet<Part>,
  { ledgers }: Tuning,
): PairLedgers {
  const place = isCrowdedOut || without.has('places') ? 0 : (background.placeBits.get(placeKey(facts) ?? '') ?? 0)
  const usersLevel = usersKey(facts) ?? ''
  const usersCap = /^(some|trace)/.test(usersLevel) ? ledgers.fewUsersCapBits : ledgers.familyCapBits
  const users = without.has('users') ? 0 : Math.min(usersCap, background.usersBits.get(usersLevel) ?? 0)
  const handOver = Math.min(ledgers.timingCapBits, timing?.handOverBits ?? 0)
  const alternation = Math.min(ledgers.timingCapBits, timing?.alternationBits ?? 0)
  // Free to copy, alone or together never decisive: one cap over all of it.
  const agent = Math.min(ledgers.freeCapBits, facts.agentBits)
  const name = Math.min(ledgers.freeCapBits - agent, facts.stemBits)
  const domain = Math.min(ledgers.freeCapBits - agent - name, facts.domainBits)
  const operator: LedgerEntry[] = [
    { signal: 'place', bits: place },
    { signal: 'users', bits: users },
    { signal: 'hand_over', bits: handOver },
    { signal: 'alternation', bits: alternation },
    { signal: 'owner', bits: facts.isSameOwner ? ledgers.sameOwnerBits : 0 },
    { signal: 'agent', bits: agent },
    { signal: 'name', bits: name },
    { signal: 'domain', bits: domain },
  ]
  const mix = without.has('route_mix') ? 0 : (facts.mixBits ?? 0)
  const useCase: LedgerEntry[] = [
    { signal: 'mix', bits: mix },
    { signal: 'users', bits: Math.min(ledgers.usersUseCaseCapBits, users / 2) },
    { signal: 'hand_over', bits: handOver / 2 },
    { signal: 'alternation', bits: alternation },
    { signal: 'name', bits: facts.isSameOwner ? Math.min(ledgers.sameOwnerNameBits, facts.stemBits) : 0 },
  ]
  const sum = (entries: readonly LedgerEntry[]): number => entries.reduce((total, entry) => total + entry.bits, 0)
  const prior = -Math.log2(apps) - ledgers.operatorPriorBits
  return {
    facts,
    operator: operator.filter((entry) => entry.bits !== 0),
    useCase: useCase.filter((entry) => entry.bits !== 0),
    operatorBits: prior + sum(operator),
    useCaseBits: -ledgers.useCasePriorBits + sum(useCase),
    isAnchored: place + users + handOver + alternation > 0 || facts.isSameOwner,
  }
}

/** Both questions answered yes, by something that could not be copied for free, and without a contradiction. */
export function isOne(
  { operatorBits, useCaseBits, isAnchored, facts }: PairLedgers,
  without: ReadonlySet<Part>,
  { ledgers }: Tuning,
): boolean {
  if (!isAnchored || (!without.has('route_mix') && (facts.mixBits ?? 0) <= ledgers.vetoBits)) return false
  return (
    operatorBits >= ledgers.operatorBitsMin &&
    useCaseBits >= ledgers.useCaseBitsMin &&
    operatorBits + useCaseBits >= ledgers.jointBitsMin
  )
}
