/** What a scenario is: a group of applications with those who send their requests, and the truth about the group. */
import type { PolicyCode } from '#schemas/finding.ts'
import type { TruthGroup } from '#schemas/truth.ts'
import type { App } from '#simulate/apps.ts'
import type { WorldKind } from '#simulate/conditions.ts'
import type { Cast } from '#simulate/kinds.ts'
import type { Rng } from '#simulate/random.ts'
import type { World } from '#simulate/world.ts'

export type Strength = NonNullable<TruthGroup['strength']>
export const STRENGTHS: readonly Strength[] = ['weak', 'medium', 'strong']

export interface Staged extends Cast {
  /** Acceptable policy codes; empty for exempt groups and look-alikes. */
  readonly policy: readonly PolicyCode[]
  /** Apps that were framed, or whose keys were stolen. */
  readonly victims?: readonly App[]
  /** When the evidence is expected to suffice, epoch milliseconds. */
  readonly evidentAtMs?: number
}

/** What a world has to have so that the scenario is what it says. */
interface Needs {
  /** User ids in the log: nothing else joins the apps. */
  readonly users?: boolean
  /** Routes, at least: nothing else tells the apps apart. */
  readonly routes?: number
  readonly worlds?: readonly WorldKind[]
}

export interface Scenario {
  readonly name: string
  readonly kind: TruthGroup['kind']
  /** Kept for the final evaluation; never tuned on. */
  readonly heldOut: boolean
  readonly needs: Needs
  /** Groups in each cycle over all scenarios: more where groups are small. */
  readonly copies: number
  /** What it imitates, in one line. */
  readonly about: string
  /** Registers the group's applications and returns them with their actors. Look-alikes ignore the strength. */
  stage(world: World, rng: Rng, strength: Strength): Staged
}

type Stage = (world: World, rng: Rng, strength: Strength) => Omit<Staged, 'policy'> & Partial<Pick<Staged, 'policy'>>

interface Extra {
  readonly copies?: number
  readonly needs?: Needs
}

function scenario(kind: TruthGroup['kind'], name: string, about: string, stage: Stage, extra: Extra = {}): Scenario {
  const { copies = 1, needs = {} } = extra
  return { name, kind, heldOut: false, copies, needs, about, stage: (...args) => ({ policy: [], ...stage(...args) }) }
}

export function violation(name: string, about: string, stage: Scenario['stage'], extra?: Extra): Scenario {
  return scenario('violation', name, about, stage, extra)
}

export function lookalike(name: string, about: string, stage: Stage, extra?: Extra): Scenario {
  return scenario('lookalike', name, about, stage, extra)
}

export function exempt(name: string, about: string, stage: Stage, extra?: Extra): Scenario {
  return scenario('exempt', name, about, stage, extra)
}

/** A family that is kept for the final evaluation: whatever was tuned has never seen it. */
export function withheld(scenarios: readonly Scenario[]): Scenario[] {
  return scenarios.map((item) => ({ ...item, heldOut: true }))
}

/** Several casts as one. */
export function together(casts: readonly Cast[]): Cast {
  return { apps: casts.flatMap((cast) => cast.apps), actors: casts.flatMap((cast) => cast.actors) }
}
