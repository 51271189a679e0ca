/**
 * Groups against their place's own background: of the apps that run at one place, which do the same thing, while nobody else does?
 *
 * Null: the residents of a place are strangers to each other, each with a mix drawn from the platform's. q is the share of apps elsewhere whose
 * mix would have been let into the group (with one pseudo-count); the surprise of g alike among d residents is
 * -log2 P(Binomial(d - 1, q) >= g - 1). The growth asks more of a member than likeness: the group's pooled mix has to explain its stream better
 * than the world does, better than a use case never seen, and better than the other residents of the place do.
 */
import type { MixModel, TemperedMix } from '../evidence/route-mix.ts'
import { audienceOf, pool, temper, withAudience } from '../evidence/route-mix.ts'
import type { Place, PlaceStream } from '../run/places.ts'
import { binomialUpperTailBits } from '../statistics.ts'
import type { Tuning } from '../tuning.ts'

export interface Group {
  readonly place: Place
  /** App numbers, ascending. */
  readonly apps: readonly number[]
  /** Residents of the place that the group was drawn from. */
  readonly residents: number
  /** Share of apps elsewhere that would have been let in, 0..1. */
  readonly q: number
  /** -log2 of the probability that strangers are so alike. */
  readonly surpriseBits: number
  /** What the members do, pooled and tempered. */
  readonly mix: TemperedMix
  /** Of each app, log2 P(stream | the others) - log2 P(stream | world): how well it fits. */
  readonly fitBits: ReadonlyMap<number, number>
}

interface Resident {
  readonly stream: PlaceStream
  readonly mix: TemperedMix
  /** log2 P(mix | world). */
  readonly world: number
}

export interface GroupContext {
  readonly model: MixModel
  readonly tuning: Tuning
  /** App numbers of the model's world, in its order. */
  readonly worldApps: readonly number[]
  /** Number of routes. */
  readonly routes: number
}

/** Residents with enough requests to be compared. */
function comparable(place: Place, { model, tuning, worldApps, routes }: GroupContext): Resident[] {
  const here = new Set(place.residents.map((stream) => stream.app))
  return place.residents
    .filter((stream) => stream.mix.total >= tuning.groups.requestsMin)
    .map((stream) => {
      const audience = audienceOf(stream.users / Math.max(1, stream.networks))
      const mix = temper(
        withAudience(stream.mix, audience, routes, tuning.routeMix.audienceRequests),
        tuning.routeMix.temper,
      )
      const world = model.logAlternative(mix, (i) => here.has(worldApps[i] ?? -1))
      return { stream, mix, world }
    })
}

/** The resident with the most neighbours that are alike both ways. Ties go to the lesser app. */
function seedOf(residents: readonly Resident[], { model, tuning }: GroupContext): Resident[] {
  // Of a crowded place every k-th resident is tried as the seed: a group that matters holds several of them.
  const step = Math.ceil(residents.length / tuning.groups.seedsMax)
  let best: Resident[] = []
  for (let i = 0; i < residents.length; i += step) {
    const one = residents[i]
    if (one === undefined) continue
    const alike = residents.filter(
      (other) =>
        other !== one &&
        model.logProbability(other.mix, one.mix) - other.world > tuning.groups.seedBits &&
        model.logProbability(one.mix, other.mix) - one.world > tuning.groups.seedBits,
    )
    if (alike.length + 1 > best.length) best = [one, ...alike]
  }
  return best
}

function pooled(members: readonly Resident[], size: number): TemperedMix {
  // Each member weighs alike: a busy one does not speak for all.
  return temper(
    pool(members.map(({ mix }) => ({ keys: mix.keys, counts: Float64Array.from(mix.counts), total: mix.total }))),
    size,
  )
}

/** log2 P(y | a resident that is not of the group), averaged over them; -Infinity when there is none. */
function logOthers(y: Resident, others: readonly Resident[], model: MixModel): number {
  if (others.length === 0) return Number.NEGATIVE_INFINITY
  const sum = others.reduce((total, z) => total + 2 ** Math.max(-1000, model.logProbability(y.mix, z.mix) - y.world), 0)
  return y.world + Math.log2(sum / others.length)
}

function grow(seed: readonly Resident[], residents: readonly Resident[], context: GroupContext): Map<Resident, number> {
  const { model, tuning } = context
  let members = new Map(seed.map((one) => [one, 0]))
  for (let round = 0; round < tuning.groups.rounds; round += 1) {
    const next = new Map<Resident, number>()
    const whole = pooled([...members.keys()], tuning.routeMix.temper)
    const others = residents.filter((one) => !members.has(one))
    // The alternative "like somebody else here" is a sample where the place is crowded.
    const step = Math.ceil(others.length / tuning.groups.othersMax)
    const compared = others.filter((_, i) => i % step === 0)
    for (const one of residents) {
      const isMember = members.has(one)
      if (isMember && members.size === 1) continue
      const rest = isMember
        ? pooled(
            [...members.keys()].filter((other) => other !== one),
            tuning.routeMix.temper,
          )
        : whole
      const inside = model.logProbability(one.mix, rest)
      const fit = inside - one.world
      if (fit <= tuning.groups.memberBits) continue
      if (
        inside <=
        logOthers(
          one,
          compared.filter((other) => other !== one),
          model,
        )
      )
        continue
      next.set(one, fit)
    }
    const isSame = next.size === members.size && next.keys().every((one) => members.has(one))
    members = next
    if (isSame || members.size < 2) break
  }
  return members
}

/** Share of apps elsewhere that the group would have let in, with one pseudo-count. */
function shareLetIn(members: readonly Resident[], place: Place, { model, tuning, worldApps }: GroupContext): number {
  const here = new Set(place.residents.map((stream) => stream.app))
  const mix = pooled(members, tuning.routeMix.temper)
  const sizes = members.map((one) => one.mix.total).toSorted((x, y) => x - y)
  const size = sizes[sizes.length >> 1] ?? tuning.routeMix.temper
  let letIn = 0
  let compared = 0
  for (const [i, app] of worldApps.entries()) {
    if (here.has(app)) continue
    const z = model.world[i]
    if (z === undefined) continue
    const y = z.total <= size ? z : temper({ keys: z.keys, counts: Float64Array.from(z.counts), total: z.total }, size)
    compared += 1
    // Against the prior alone: cheaper than the world, and more are let in, which is the careful side.
    if (model.logProbability(y, mix) - model.logProbability(y) > tuning.groups.letInBits) letIn += 1
  }
  return (letIn + 1) / (compared + 1)
}

/** All groups of a place, the most surprising first; an app is in one of them at most. */
export function groupsOf(place: Place, context: GroupContext): Group[] {
  let residents = comparable(place, context)
  const groups: Group[] = []
  while (residents.length >= 2) {
    const seed = seedOf(residents, context)
    if (seed.length < 2) break
    const members = grow(seed, residents, context)
    if (members.size < 2) {
      residents = residents.filter((one) => one !== seed[0])
      continue
    }
    const q = shareLetIn([...members.keys()], place, context)
    groups.push({
      place,
      apps: [...members.keys()].map((one) => one.stream.app).toSorted((x, y) => x - y),
      residents: residents.length,
      q,
      mix: pooled([...members.keys()], context.tuning.routeMix.temper),
      surpriseBits: binomialUpperTailBits(members.size - 1, residents.length - 1, q),
      fitBits: new Map([...members].map(([one, fit]) => [one.stream.app, fit])),
    })
    residents = residents.filter((one) => !members.has(one))
  }
  return groups
}
