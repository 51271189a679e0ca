/** Which worlds an evaluation simulates, and how each is asked for. Pure. */
import type { WorldKind } from '#simulate/conditions.ts'
import type { PlanOptions } from '#simulate/plan.ts'
import type { Strength } from '#simulate/scenarios/scenario.ts'

export interface World {
  readonly kind: WorldKind
  /** mixed: violations of every strength in one world. */
  readonly strength: Strength | 'mixed'
  readonly seed: number
}

export interface WorldSize {
  readonly apps: number
  readonly requests: number
  readonly hours: number
  readonly scenarios?: readonly string[]
}

/**
 * Every kind with every strength and seed, seed by seed: a run that is cut short has worlds of all kinds. A world without violations has no
 * strength, so it comes once a seed.
 */
export function listWorlds(
  kinds: readonly WorldKind[],
  strengths: readonly World['strength'][],
  seeds: readonly number[],
): World[] {
  const ofSeed = kinds.flatMap((kind) => {
    const ofKind = kind === 'benign' ? (['mixed'] as const) : strengths
    return ofKind.map((strength) => ({ kind, strength }))
  })
  return seeds.flatMap((seed) => ofSeed.map(({ kind, strength }) => ({ kind, strength, seed })))
}

/** What the simulator is asked for. */
export function planOptions({ kind, strength, seed }: World, size: WorldSize): PlanOptions {
  return { ...size, seed, world: kind, strength }
}
