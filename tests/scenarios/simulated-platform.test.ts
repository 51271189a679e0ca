/**
 * The analysis on simulated platforms, small ones of seeds of their own: a benign world, in which nobody breaks a rule, and a hard one, with noise,
 * shared servers, deployed templates and framers. The held-out scenarios are left out: they are for the final evaluation, and a test that shows
 * them would tune to them.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Truth, type TruthGroup } from '#schemas/truth.ts'
import type { WorldKind } from '#simulate/conditions.ts'
import { SCENARIOS } from '#simulate/scenarios/registry.ts'
import { simulate } from '#simulate/write.ts'
import { analyse, storedWindow, type Analysis } from '../../services/analyzer/analyse.ts'
import { computeHours } from '../../services/analyzer/run/hours.ts'
import { TUNING } from '../../services/analyzer/tuning.ts'
import { FORMATS } from '../../services/ingest/decode/formats/index.ts'
import { fileTimeSpan, ingestFiles } from '../../services/ingest/files/ingest-files.ts'
import { loadRegistry } from '../../services/ingest/registry/file.ts'
import { openEngine, type Engine } from '../support/analyzer-engine.ts'

const SCENARIO_NAMES = SCENARIOS.filter(({ heldOut }) => !heldOut).map(({ name }) => name)
const NOW_MS = Date.parse('2026-11-02T01:00:00Z')

interface Detected {
  readonly truth: Truth
  readonly analysis: Analysis
}

let engine: Engine
beforeAll(async () => {
  engine = await openEngine()
})
afterAll(async () => {
  await engine.close()
})

async function detect(world: WorldKind, seed: number): Promise<Detected> {
  const outDir = await mkdtemp(join(tmpdir(), 'sidestep-platform-'))
  try {
    const { clickhouse } = engine
    const size = { apps: 400, requests: 150_000 }
    const { files } = await simulate({ ...size, seed, world, outDir, scenarios: SCENARIO_NAMES })
    await engine.empty()
    await loadRegistry({ clickhouse, file: files.apps, version: 1 })
    const decode = { format: FORMATS.sidestep, trustedHops: 0, ...fileTimeSpan(NOW_MS) }
    const ingested = await ingestFiles({ clickhouse, files: [files.requests], decode })
    expect(ingested).toMatchObject({ dead: 0, interrupted: false })
    await computeHours(clickhouse, `${world}-${seed}`)
    const window = await storedWindow(clickhouse)
    if (window === undefined) throw new Error('nothing was stored')
    const analysis = await analyse({ clickhouse, window, tuning: TUNING })
    return { analysis, truth: Truth.parse(JSON.parse(await readFile(files.truth, 'utf8'))) }
  } finally {
    await rm(outDir, { recursive: true, force: true })
  }
}

const accusedIn = ({ analysis }: Detected): (readonly string[])[] =>
  analysis.violations.map(({ cluster }) => cluster.apps)
const groupsOf = ({ truth }: Detected, kind: TruthGroup['kind']): TruthGroup[] =>
  truth.groups.filter((group) => group.kind === kind)
const common = (apps: readonly string[], group: TruthGroup): number =>
  apps.filter((app) => group.apps.includes(app)).length

/** A violation is found when one finding holds 80 % of its apps, and is made of them to 80 %. */
function foundIn(platform: Detected): TruthGroup[] {
  return groupsOf(platform, 'violation').filter((group) =>
    accusedIn(platform).some((apps) => {
      const both = common(apps, group)
      return both >= 0.8 * group.apps.length && both >= 0.8 * apps.length
    }),
  )
}

describe('on a platform where nobody breaks a rule', () => {
  it('there is no finding', async () => {
    const platform = await detect('benign', 41)
    expect(groupsOf(platform, 'violation')).toEqual([])
    expect(groupsOf(platform, 'lookalike').length).toBeGreaterThan(5)
    for (const v of platform.analysis.violations)
      process.stderr.write(
        JSON.stringify([
          v.policies,
          v.evidence.map((e) => [e.signal, e.statement]),
          v.cluster.apps.map((x) =>
            platform.truth.groups
              .filter((g) => g.apps.includes(x))
              .map((g) => g.scenario)
              .join('+'),
          ),
        ]) + String.fromCharCode(10),
      )
    expect(accusedIn(platform)).toEqual([])
  })
})

describe('on a hard platform', () => {
  let platform: Detected
  beforeAll(async () => {
    platform = await detect('hard', 43)
  })

  it('every finding is about one violation', () => {
    const mixed = accusedIn(platform).filter(
      (apps) => !groupsOf(platform, 'violation').some((group) => common(apps, group) * 2 > apps.length),
    )
    expect(mixed).toEqual([])
  })

  it('no victim is named as operator', () => {
    const victims = new Set(platform.truth.groups.flatMap((group) => group.victims ?? []))
    expect(victims.size).toBeGreaterThan(0)
    expect(
      accusedIn(platform)
        .flat()
        .filter((app) => victims.has(app)),
    ).toEqual([])
  })

  it('at least nine of twenty-one violations are found whole: twelve when this was written', () => {
    expect(groupsOf(platform, 'violation')).toHaveLength(21)
    expect(foundIn(platform).length).toBeGreaterThanOrEqual(9)
  })
})
