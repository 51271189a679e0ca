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

import type { PredictedCluster } from '../evaluate/judge.ts'
import { PEERS } from '../evaluate/peers/index.ts'
import { readPeerTraffic } from '../evaluate/peers/read-traffic.ts'
import { worldResult, type WorldResult } from '../evaluate/world-result.ts'
import { planOptions, type World, type WorldSize } from '../evaluate/worlds.ts'
import { storedWindow } from '../services/analyzer/analyse.ts'
import { analyseAll } from './analysis.ts'
import { ingestForDetection } from './detect-ingest.ts'
import { withEngine } from './with-engine.ts'

export interface EvaluateOptions {
  /** Whether the published methods run on the same traffic. */
  readonly peers: boolean
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
  const { findings } = await analyseAll(clickhouse, Date.now(), options.onStep)
  options.onStep('scoring against the truth')
  const window = options.peers ? await storedWindow(clickhouse) : undefined
  const traffic = window === undefined ? undefined : await readPeerTraffic(clickhouse, window)
  return worldResult(truth, predictedClusters(findings), PEERS, traffic)
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
