/** One world of an evaluation: its traffic into an engine of its own, the analysis, the published methods, and the score. */
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { ClickHouse } from '#lib/clickhouse.ts'
import { errorMessage, SidestepError } from '#lib/errors.ts'
import type { Finding } from '#schemas/finding.ts'
import { Truth } from '#schemas/truth.ts'
import { simulate } from '#simulate/write.ts'

import { ablationOf, NOTHING, type Ablation } from '../evaluate/ablation.ts'
import type { PredictedCluster } from '../evaluate/judge.ts'
import { PEERS } from '../evaluate/peers/index.ts'
import { readPeerTraffic } from '../evaluate/peers/read-traffic.ts'
import { score } from '../evaluate/score.ts'
import { worldResult, type WorldResult } from '../evaluate/world-result.ts'
import { planOptions, type World, type WorldSize } from '../evaluate/worlds.ts'
import { analyse, storedWindow, type Investigation } from '../services/analyzer/analyse.ts'
import { lifecycle } from '../services/analyzer/findings/lifecycle.ts'
import type { Window } from '../services/analyzer/run/window.ts'
import { PARTS, TUNING, type Part } from '../services/analyzer/tuning.ts'
import { analyseAll } from './analysis.ts'
import { ingestForDetection } from './detect-ingest.ts'
import { withEngine } from './with-engine.ts'

export interface EvaluateOptions {
  /** Whether the published methods run on the same traffic. */
  readonly peers: boolean
  /** Parts of the detector that are left out. */
  readonly without: readonly Part[]
  /** Whether the world is analysed again without each other part in turn. */
  readonly ablate: boolean
  readonly onStep: (step: string) => void
}

/** Findings as the scorer takes them. */
function predictedClusters(findings: readonly Finding[]): PredictedCluster[] {
  return findings.map(({ data }) => ({
    id: data.finding_info.uid,
    policies: data.finding_info.types,
    probability: data.confidence_score / 100,
    members: data.resources.map(({ uid, data: { probability, role } }) => ({
      app_id: uid,
      probability,
      ...(role === undefined ? {} : { role }),
    })),
  }))
}

async function readTruth(directory: string): Promise<Truth> {
  const file = join(directory, 'truth.json')
  if (!existsSync(file))
    throw new SidestepError('usage', `${file} is missing: --traffic takes a directory that simulate has written`)
  try {
    return Truth.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch (error) {
    throw new SidestepError('usage', `${file} is not the truth of a simulation: ${errorMessage(error)}`, {
      cause: error,
    })
  }
}

/** Undefined when it was interrupted. */
async function evaluateIn(
  clickhouse: ClickHouse,
  signal: AbortSignal,
  directory: string,
  options: EvaluateOptions,
): Promise<WorldResult | undefined> {
  const truth = await readTruth(directory)
  options.onStep('reading')
  await ingestForDetection({
    requests: [join(directory, 'requests.ndjson')],
    apps: join(directory, 'apps.ndjson'),
    format: 'sidestep',
    trustedHops: 0,
    clickhouse,
    signal,
  })
  if (signal.aborted) return undefined
  const { findings, investigation } = await analyseAll(clickhouse, Date.now(), options.onStep, options.without)
  options.onStep('scoring against the truth')
  const window = await storedWindow(clickhouse)
  if (window === undefined) throw new Error('what was analysed is gone')
  const traffic = options.peers ? await readPeerTraffic(clickhouse, window) : undefined
  const result = worldResult(truth, predictedClusters(findings), PEERS, traffic)
  if (!options.ablate) return result
  const ablations = await ablate({ clickhouse, window, truth, result, signal, investigation }, options)
  return signal.aborted ? undefined : { ...result, ablations }
}

interface AblationInput {
  readonly clickhouse: ClickHouse
  readonly window: Window
  readonly truth: Truth
  /** Of the whole detector. */
  readonly result: WorldResult
  readonly investigation: Investigation
  readonly signal: AbortSignal
}

/** The same store, analysed without one part after the other; nothing of it is stored. */
async function ablate(input: AblationInput, { without, onStep }: EvaluateOptions): Promise<Ablation[]> {
  const { clickhouse, window, truth, result, investigation: earlier, signal } = input
  const ablations = [ablationOf(NOTHING, result.card, result.card)]
  for (const part of PARTS.filter((one) => !without.includes(one))) {
    if (signal.aborted) break
    onStep(`without ${part}`)
    const { violations } = await analyse({ clickhouse, window, tuning: TUNING, without: [...without, part], earlier })
    const { open } = lifecycle([], violations, { window, tuning: TUNING, nowMs: Date.now() })
    ablations.push(ablationOf(part, result.card, score(truth, predictedClusters(open))))
  }
  return ablations
}

/** Evaluates a directory that simulate has written. Undefined when it was interrupted. */
export async function evaluateTraffic(directory: string, options: EvaluateOptions): Promise<WorldResult | undefined> {
  let result: WorldResult | undefined
  await withEngine(undefined, async (clickhouse, signal) => {
    result = await evaluateIn(clickhouse, signal, directory, options)
  })
  return result
}

/** Simulates a world in a directory that is removed afterwards, and evaluates it. Undefined when it was interrupted. */
export async function evaluateWorld(
  world: World,
  size: WorldSize,
  options: EvaluateOptions,
): Promise<WorldResult | undefined> {
  let result: WorldResult | undefined
  const outDir = await mkdtemp(join(tmpdir(), 'sidestep-evaluate-'))
  try {
    await withEngine(undefined, async (clickhouse, signal) => {
      options.onStep('simulating')
      try {
        await simulate({ ...planOptions(world, size), outDir, signal })
      } catch (error) {
        if (signal.aborted) return
        throw error
      }
      result = await evaluateIn(clickhouse, signal, outDir, options)
    })
  } finally {
    await rm(outDir, { recursive: true, force: true })
  }
  return result
}
