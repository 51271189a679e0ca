import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { storedWindow } from '../../services/analyzer/analyse.ts'
import { runCycle, type Cycle } from '../../services/analyzer/cycles.ts'
import { readFindings } from '../../services/analyzer/findings/store.ts'
import { TUNING } from '../../services/analyzer/tuning.ts'
import type { Window } from '../../services/analyzer/run/window.ts'
import { openEngine, type Engine } from '../support/analyzer-engine.ts'
import { platform, ring, RING } from '../support/analyzer-ring.ts'
import { HOUR_MS, store, together, unrelated, WINDOW } from '../support/analyzer-traffic.ts'

let engine: Engine
beforeAll(async () => {
  engine = await openEngine()
})
beforeEach(async () => {
  await engine.empty()
})
afterAll(async () => {
  await engine.close()
})

let runs = 0
async function run(window: Window = WINDOW): Promise<Cycle> {
  runs += 1
  const options = { clickhouse: engine.clickhouse, window, tuning: TUNING, runId: `run-${runs}` }
  const cycle = await runCycle({ ...options, nowMs: WINDOW.toMs + runs * 1000 })
  if (cycle === undefined) throw new Error('a cycle with a window gave nothing')
  return cycle
}

const membersOf = ({ findings }: Cycle): string[][] =>
  findings.map(({ data }) => data.resources.map(({ uid }) => uid).toSorted())

const Count = z.object({ n: z.number() })
async function count(table: string): Promise<number> {
  const [row] = await engine.clickhouse.select(`SELECT count() AS n FROM ${table}`, Count)
  return row?.n ?? Number.NaN
}

describe('an analysis of nothing', () => {
  it('finds nothing and throws nothing: no apps, no requests, no window', async () => {
    expect(await storedWindow(engine.clickhouse)).toBeUndefined()
    const nothing = await run()
    expect(nothing).toMatchObject({ findings: [], exempt: [], innocent: [], apps: 0 })
    expect(nothing.pairsByRule.size).toBe(0)
  })

  it('finds nothing in a window without requests, though there are some outside of it', async () => {
    await store(engine.clickhouse, platform(1))
    expect(await storedWindow(engine.clickhouse)).toEqual(WINDOW)
    expect(await run({ fromMs: WINDOW.toMs, toMs: WINDOW.toMs + HOUR_MS })).toMatchObject({ findings: [], apps: 0 })
    expect(await run({ fromMs: WINDOW.fromMs - HOUR_MS, toMs: WINDOW.fromMs })).toMatchObject({ findings: [], apps: 0 })
  })

  it('finds nothing among a handful of apps, nor in one app', async () => {
    await store(engine.clickhouse, unrelated(1, 3))
    expect((await run()).findings).toEqual([])
    await store(engine.clickhouse, unrelated(5, 4), 'more')
    expect((await run()).findings).toEqual([])
  })
})

describe('an analysis', () => {
  it('finds the ring, all of it and nobody else, and says what rule it breaks', async () => {
    await store(engine.clickhouse, platform(1))
    const analysis = await run()
    expect(membersOf(analysis)).toEqual([[...RING]])
    const [finding] = analysis.findings
    expect(finding?.data.finding_info.types).toEqual(['duplicate_apps_single_owner'])
    expect(finding?.data.unmapped.gain).toBeGreaterThan(1)
    expect(analysis.apps).toBe(124)
  })

  it('finds nothing among unrelated apps', async () => {
    await store(engine.clickhouse, unrelated(200, 9))
    expect(await run()).toMatchObject({ findings: [], exempt: [], innocent: [] })
  })

  it('lets an app and its successor be', async () => {
    const old = ring(['old'], { hours: [0, 12] })
    const successor = ring(['new'], { hours: [12, 24] })
    await store(engine.clickhouse, together(unrelated(120, 1), old, successor))
    expect((await run()).findings).toEqual([])
  })

  it('reports a compliant development and production pair as exempt, and no finding', async () => {
    const apps = [
      { app: 'env-1', owner: 'harvest-inc', name: 'Harvester (dev)', description: 'Development of Harvester.' },
      { app: 'env-2', owner: 'harvest-inc', name: 'Harvester (prod)', description: 'Production of Harvester.' },
    ]
    const dev = ring(['env-1'])
    const prod = [1, 2, 3, 4].flatMap(() => ring(['env-2']).bursts)
    await store(engine.clickhouse, together(unrelated(120, 1), { bursts: [...dev.bursts, ...prod], apps }))
    const analysis = await run()
    expect(analysis.findings).toEqual([])
    expect(analysis.exempt).toEqual([['env-1', 'env-2']])
  })

  it("lets different products on one company's servers be", async () => {
    const products = ['shop', 'map', 'mail'].map((app, i) => {
      const { bursts } = ring([app], { route: `/v1/route-${3 * i}`, agent: `${app}/1.0` })
      return { bursts, apps: [{ app, owner: 'acme', name: `Acme ${app}` }] }
    })
    await store(engine.clickhouse, together(unrelated(120, 1), ...products))
    expect((await run()).findings).toEqual([])
  })

  /** Invariant 7. */
  it('gives the same findings for the same data, whatever the blocks it came in', async () => {
    const whole = platform(1)
    await store(engine.clickhouse, whole)
    const [once] = (await run()).findings
    await engine.empty()
    const half = Math.floor(whole.bursts.length / 2)
    await store(engine.clickhouse, { bursts: whole.bursts.slice(half), apps: whole.apps }, 'second')
    await store(engine.clickhouse, { bursts: whole.bursts.slice(0, half), apps: [] }, 'first')
    const [again] = (await run()).findings
    expect(again?.id).toBe(once?.id)
    expect(again?.data.evidences).toEqual(once?.data.evidences)
    expect(again?.data.resources).toEqual(once?.data.resources)
  })
})

describe('findings over runs', () => {
  it('stay as they are on the same data: same ids, same revisions, nothing new stored', async () => {
    await store(engine.clickhouse, platform(1))
    const first = await run()
    const tables = ['findings', 'finding_apps', 'finding_evidence']
    const before = await Promise.all(tables.map(count))
    const second = await run()
    expect(second.findings).toEqual(first.findings)
    expect(await Promise.all(tables.map(count))).toEqual(before)
    expect(before).toEqual([1, RING.length, first.findings[0]?.data.evidences.length])
  })

  it('get a new revision under the same id when a member joins', async () => {
    await store(engine.clickhouse, platform(1))
    const [opened] = (await run()).findings
    await store(engine.clickhouse, ring(['key-5']), 'later')
    const [updated, ...others] = (await run()).findings
    expect(others).toEqual([])
    expect(updated?.id).toBe(`${opened?.data.finding_info.uid}:2`)
    expect(updated?.type).toBe('dev.sidestep.finding.updated.v1')
    expect(updated?.data.resources).toHaveLength(RING.length + 1)
    expect((await readFindings(engine.clickhouse)).map(({ revision, status }) => [revision, status])).toEqual([
      [2, 'updated'],
    ])
  })

  it('are closed when their cluster is gone, once, and opened again under the same id when it is back', async () => {
    await store(engine.clickhouse, platform(1))
    const [opened] = (await run()).findings
    const later = { fromMs: WINDOW.toMs, toMs: WINDOW.toMs + HOUR_MS }
    expect((await run(later)).findings).toEqual([])
    await run(later)
    const [closed, ...others] = await readFindings(engine.clickhouse)
    expect(others).toEqual([])
    expect(closed).toMatchObject({ uid: opened?.data.finding_info.uid, revision: 2, status: 'closed' })
    expect(closed?.event).toMatchObject({ type: 'dev.sidestep.finding.closed.v1', data: { activity_id: 3 } })
    const [back] = (await run()).findings
    expect(back?.id).toBe(`${opened?.data.finding_info.uid}:3`)
    expect(back?.type).toBe('dev.sidestep.finding.updated.v1')
  })

  it('keep names, descriptions and ids with tabs, quotes and backslashes as they are', async () => {
    const { bursts, apps } = platform(1)
    const owner = `o'\\\t`
    const name = 'key-1\t"\\\'\n'
    const ringApps = RING.map((app) => ({ app, owner, name }))
    await store(engine.clickhouse, { bursts, apps: [...apps.slice(0, -RING.length), ...ringApps] })
    const [finding] = (await run()).findings
    const [stored] = await readFindings(engine.clickhouse)
    expect(stored?.event).toEqual(finding)
    expect(finding?.data.resources[0]).toMatchObject({ name, owner: { uid: owner } })
    const owners = await engine.clickhouse.select(
      'SELECT owner_ids FROM findings',
      z.object({ owner_ids: z.array(z.string()) }),
    )
    expect(owners).toEqual([{ owner_ids: [owner] }])
  })
})
