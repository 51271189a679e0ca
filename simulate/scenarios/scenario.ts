/** What a scenario is: a group of applications with those who send their requests, and the truth about the group. */
import type { PolicyCode } from '#schemas/finding.ts'
import type { TruthGroup } from '#schemas/truth.ts'
import type { Cast } from '#simulate/kinds.ts'
import type { Rng } from '#simulate/random.ts'
import type { World } from '#simulate/world.ts'

export type Strength = NonNullable<TruthGroup['strength']>
export const STRENGTHS: readonly Strength[] = ['weak', 'medium', 'strong']

export interface Staged extends Cast {
  /** Acceptable policy codes; empty for exempt groups and look-alikes. */
  readonly policy: readonly PolicyCode[]
}

export interface Scenario {
  readonly name: string
  readonly kind: TruthGroup['kind']
  /** Kept for the final evaluation; never tuned on. */
  readonly heldOut: boolean
  /** Groups in each cycle over all scenarios: more where groups are small. */
  readonly copies: number
  /** What it imitates, in one line. */
  readonly about: string
  /** Registers the group's applications and returns them with their actors. Look-alikes ignore the strength. */
  stage(world: World, rng: Rng, strength: Strength): Staged
}

export function violation(name: string, about: string, stage: Scenario['stage']): Scenario {
  return { name, kind: 'violation', heldOut: false, copies: 1, about, stage }
}

export function heldOut(name: string, about: string, stage: Scenario['stage']): Scenario {
  return { name, kind: 'violation', heldOut: true, copies: 1, about, stage }
}

export function lookalike(name: string, about: string, cast: (world: World, rng: Rng) => Cast, copies = 1): Scenario {
  return {
    name,
    kind: 'lookalike',
    heldOut: false,
    copies,
    about,
    stage: (world, rng) => ({ ...cast(world, rng), policy: [] }),
  }
}

export function exempt(name: string, about: string, cast: (world: World, rng: Rng) => Cast, copies = 1): Scenario {
  return {
    name,
    kind: 'exempt',
    heldOut: false,
    copies,
    about,
    stage: (world, rng) => ({ ...cast(world, rng), policy: [] }),
  }
}

/** Several casts as one. */
export function together(casts: readonly Cast[]): Cast {
  return { apps: casts.flatMap((cast) => cast.apps), actors: casts.flatMap((cast) => cast.actors) }
}
