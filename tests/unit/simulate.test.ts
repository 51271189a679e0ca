import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { AppRecord } from '#schemas/app-record.ts'
import { RequestRecord } from '#schemas/request-record.ts'
import { Truth } from '#schemas/truth.ts'
import { generate } from '#simulate/engine.ts'
import { createPlan, type PlanOptions, truthOf } from '#simulate/plan.ts'
import { SCENARIOS } from '#simulate/scenarios/registry.ts'
import { simulate } from '#simulate/write.ts'

/** A world in which every scenario is possible. */
const SEEN = { logsUsers: true, routes: 50 } as const
const SMALL = { apps: 300, requests: 40_000, hours: 24 } as const

function digest(options: PlanOptions): string {
  const hash = createHash('sha256')
  const plan = createPlan(options)
  for (const block of generate(plan, plan.pace)) for (const line of block.lines) hash.update(line)
  return hash.update(JSON.stringify(truthOf(plan, 0))).digest('hex')
}

describe('a simulation', () => {
  it('gives the same bytes for the same seed and others for another', () => {
    const first = digest({ seed: 5, ...SMALL })
    expect(digest({ seed: 5, ...SMALL })).toBe(first)
    expect(digest({ seed: 6, ...SMALL })).not.toBe(first)
  })

  it.each([
    [1, 'tidy'],
    [2, 'hard'],
    [3, 'benign'],
  ] as const)('meets the number of requests within 3 % (seed %i, %s)', (seed, world) => {
    const requests = 60_000
    const plan = createPlan({ seed, world, apps: 300, requests })
    let sent = 0
    for (const block of generate(plan, plan.pace)) sent += block.lines.length
    expect(Math.abs(sent / requests - 1)).toBeLessThan(0.03)
  })

  it('holds every scenario at every strength when there is room for all', () => {
    const { groups } = createPlan({
      seed: 1,
      apps: 3_000,
      requests: 1_000_000,
      conditions: { ...SEEN, violationShare: 0.7, lookalikeShare: 0.5 },
    })
    const staged = Map.groupBy(groups, (group) => group.scenario)
    const strengths = (name: string): string[] =>
      [...new Set(staged.get(name)?.map((group) => group.strength ?? 'any'))].toSorted()
    for (const { name, kind } of SCENARIOS) {
      const expected = kind === 'violation' ? ['medium', 'strong', 'weak'] : ['any']
      expect({ name, strengths: strengths(name) }).toEqual({ name, strengths: expected })
    }
  })

  it('gives violations and the innocent their share of the apps', () => {
    const conditions = { violationShare: 0.12, lookalikeShare: 0.16 }
    const plan = createPlan({ seed: 3, apps: 1_500, requests: 1_000_000, world: 'tidy', conditions })
    const share = (wanted: boolean): number => {
      const groups = plan.groups.filter((group) => (group.kind === 'violation') === wanted)
      return groups.reduce((sum, group) => sum + group.apps.length, 0) / plan.apps.length
    }
    expect(plan.apps).toHaveLength(1_500)
    expect(share(true)).toBeGreaterThan(0.1)
    expect(share(true)).toBeLessThan(0.2)
    expect(share(false)).toBeGreaterThan(0.14)
    expect(share(false)).toBeLessThan(0.24)
  })

  it('names only scenarios and strengths that were asked for', () => {
    const scenarios = ['failover_on_429', 'shared_host_few']
    const { groups } = createPlan({ seed: 1, ...SMALL, scenarios, strengths: ['weak'] })
    expect(new Set(groups.map((group) => group.scenario))).toEqual(new Set(scenarios))
    expect(groups.every((group) => group.strength === 'weak' || group.kind === 'lookalike')).toBe(true)
    expect(() => createPlan({ seed: 1, scenarios: ['no_such'] })).toThrow('no_such')
  })

  it('lists an app in one group at most, and policy codes for violations only', () => {
    const { groups, apps } = createPlan({ seed: 2, apps: 1_500, requests: 100_000 })
    const listed = groups.flatMap((group) => group.apps)
    expect(new Set(listed).size).toBe(listed.length)
    const known = new Set(apps.map((app) => app.id))
    expect(listed.every((id) => known.has(id))).toBe(true)
    expect(groups.filter((group) => group.policy.length > 0 !== (group.kind === 'violation'))).toEqual([])
  })
})

describe('the files of a simulation', async () => {
  const outDir = await mkdtemp(join(tmpdir(), 'sidestep-simulate-'))
  afterAll(async () => await rm(outDir, { recursive: true }))
  const result = await simulate({ outDir, seed: 4, apps: 600, requests: 60_000, world: 'tidy' })
  const lines = (await readFile(result.files.requests, 'utf8')).trimEnd().split('\n')
  const appLines = (await readFile(result.files.apps, 'utf8')).trimEnd().split('\n')
  const truth = Truth.parse(JSON.parse(await readFile(result.files.truth, 'utf8')))

  it('hold request records, app records and a truth that the schemas accept', () => {
    expect(lines.filter((line) => !RequestRecord.safeParse(JSON.parse(line)).success)).toEqual([])
    const apps = appLines.map((line) => AppRecord.parse(JSON.parse(line)))
    expect(apps).toHaveLength(600)
    expect(truth).toMatchObject({
      seed: 4,
      apps: 600,
      requests: lines.length,
      world: 'tidy',
      from: '2026-11-01T00:00:00.000Z',
    })
    expect(result).toMatchObject({ requests: lines.length, apps: 600 })
  })

  it('name in the requests no app that is not registered', () => {
    const registered = new Set(appLines.map((line) => AppRecord.parse(JSON.parse(line)).app_id))
    const seen = new Set(lines.map((line) => RequestRecord.parse(JSON.parse(line)).app_id))
    expect([...seen].filter((id) => !registered.has(id))).toEqual([])
    expect(seen.size).toBeGreaterThan(570)
  })

  it('are in the order of time and inside the span', () => {
    const times = lines.map((line) => Date.parse(String(RequestRecord.parse(JSON.parse(line)).timestamp)))
    expect(times.every((time, index) => index === 0 || time >= (times[index - 1] ?? 0))).toBe(true)
    expect(times.at(0)).toBeGreaterThanOrEqual(Date.parse(truth.from))
    expect(times.at(-1)).toBeLessThan(Date.parse(truth.to))
  })

  it('have lines of about 350 bytes, with IPv6 among them', () => {
    expect(result.bytes / result.requests).toBeGreaterThan(250)
    expect(result.bytes / result.requests).toBeLessThan(450)
    const v6 =
      lines.filter((line) => RequestRecord.parse(JSON.parse(line)).client_ip.includes(':')).length / lines.length
    expect(v6).toBeGreaterThan(0.12)
    expect(v6).toBeLessThan(0.5)
  })

  it('lack truth.json when the run was stopped', async () => {
    const stop = new AbortController()
    const stopped = simulate({
      outDir,
      seed: 4,
      apps: 100,
      requests: 50_000,
      signal: stop.signal,
      onProgress: () => stop.abort(),
    })
    await expect(stopped).rejects.toThrow('aborted')
    await expect(readFile(result.files.truth, 'utf8')).rejects.toThrow('ENOENT')
  })
})
