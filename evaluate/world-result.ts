/** What one simulated world says of the detector and of the published methods. Pure. */
import type { Truth } from '#schemas/truth.ts'
import type { Ablation } from './ablation.ts'
import type { PredictedCluster } from './judge.ts'
import { measure, type Measured, type MeasureName } from './measures.ts'
import type { Peer, PeerTraffic } from './peers/peer.ts'
import { score, type Scorecard } from './score.ts'

export interface ScenarioFound {
  readonly scenario: string
  readonly held_out: boolean
  readonly count: number
  readonly total: number
}

/** One method at one setting. */
export interface MethodResult {
  readonly method: string
  /** Thresholds in words; null for the detector, which has none to choose. */
  readonly setting: string | null
  readonly measures: Readonly<Record<MeasureName, Measured>>
  readonly found_by_scenario: readonly ScenarioFound[]
}

export interface WorldResult {
  /** Kind of world: tidy, hard, benign, or unknown where the truth does not say. */
  readonly world: string
  /** Strength of all violations; mixed when there are several, none without violations. */
  readonly strength: string
  readonly seed: number
  readonly violations: number
  readonly card: Scorecard
  /** The detector first, then every setting of every method. */
  readonly methods: readonly MethodResult[]
  /** The detector without one part after the other; empty unless asked for. */
  readonly ablations: readonly Ablation[]
}

export const DETECTOR = 'sidestep'

/** The published methods are left out when `traffic` is undefined. */
export function worldResult(
  truth: Truth,
  predicted: readonly PredictedCluster[],
  peers: readonly Peer[],
  traffic: PeerTraffic | undefined,
): WorldResult {
  const card = score(truth, predicted)
  const swept = traffic === undefined ? [] : peers.flatMap((peer) => sweep(truth, peer, traffic))
  return {
    world: truth.world ?? 'unknown',
    strength: strengthOf(truth),
    seed: truth.seed,
    violations: card.found.total,
    card,
    methods: [methodResult(DETECTOR, null, card), ...swept],
    ablations: [],
  }
}

/** A method gives neither codes nor probabilities, so its labels and its calibration mean nothing and are emptied. */
function sweep(truth: Truth, peer: Peer, traffic: PeerTraffic): MethodResult[] {
  const nothing = { value: null, count: null, total: null }
  return peer.sweep(traffic).map(({ setting, groups }) => {
    const clusters = groups.map((apps, index) => ({
      id: String(index),
      policies: [],
      probability: 1,
      members: apps.map((app_id) => ({ app_id, probability: 1 })),
    }))
    const result = methodResult(peer.name, setting, score(truth, clusters))
    const measures = {
      ...result.measures,
      first_code_right: nothing,
      any_code_right: nothing,
      calibration_error_apps: nothing,
      calibration_error_findings: nothing,
    }
    return Object.assign(result, { measures })
  })
}

function methodResult(method: string, setting: string | null, card: Scorecard): MethodResult {
  const found_by_scenario = card.by_scenario.map(({ scenario, held_out, found: { count, total } }) => ({
    scenario,
    held_out,
    count,
    total,
  }))
  return { method, setting, measures: measure(card), found_by_scenario }
}

function strengthOf(truth: Truth): string {
  const violations = truth.groups.filter(({ kind }) => kind === 'violation')
  const [first = 'none', ...others] = new Set(violations.map(({ strength }) => strength ?? 'mixed'))
  return others.length === 0 ? first : 'mixed'
}
