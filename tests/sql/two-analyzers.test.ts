/** Several analyzers on one store, as in a rolling deploy (invariants 7 and 15): the findings are those of one. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { ClickHouse } from '#lib/clickhouse.ts'
import type { Finding } from '#schemas/finding.ts'
import { runCycle, type Cycle } from '../../services/analyzer/cycles.ts'
import { readFindings } from '../../services/analyzer/findings/store.ts'
import { runStandingQuery, WORKING_TABLES } from '../../services/analyzer/run/runs.ts'
import { TUNING } from '../../services/analyzer/tuning.ts'
import type { Window } from '../../services/analyzer/run/window.ts'
import { openEngine, type Engine } from '../support/analyzer-engine.ts'
import { platform, ring, RING } from '../support/analyzer-ring.ts'
import { HOUR_MS, store, together, WINDOW } from '../support/analyzer-traffic.ts'

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

const EMPTY_WINDOW: Window = { fromMs: WINDOW.toMs, toMs: WINDOW.toMs + HOUR_MS }
const OTHER_RING = ['tool-1', 'tool-2', 'tool-3'] as const

let cycles = 0
async function cycle(name: string, window = WINDOW, clickhouse: ClickHouse = engine.clickhouse): Promise<Cycle> {
  cycles += 1
  const nowMs = WINDOW.toMs + cycles * 1000
  const done = await runCycle({ clickhouse, window, tuning: TUNING, runId: name, nowMs })
  if (done === undefined) throw new Error('a cycle with a window gave nothing')
  return done
}

async function storeTwoRings(): Promise<void> {
  const other = ring(OTHER_RING, { network: '203.0.113.77', agent: 'toolbox/3', route: '/v1/route-7', requests: 30 })
  await store(engine.clickhouse, together(platform(1), other))
}

const idsOf = (findings: readonly Finding[]): string[] => findings.map(({ id }) => id).toSorted()
const membersOf = (findings: readonly Finding[]): string[] =>
  findings.map(({ data }) => data.resources.map(({ uid }) => uid).join(' ')).toSorted()
const RINGS = [RING.join(' '), OTHER_RING.join(' ')]

async function column(sql: string): Promise<string[]> {
  return (await engine.clickhouse.select(sql, z.object({ c: z.string() }))).map(({ c }) => c)
}
const revisions = async (): Promise<string[]> =>
  await column(`SELECT concat(uid, ':', toString(revision), ' ', status) AS c FROM findings FINAL ORDER BY c`)
const runsHeld = async (): Promise<string[]> => {
  const each = WORKING_TABLES.map((table) => `SELECT run_id AS c FROM ${table}`).join(' UNION ALL ')
  return await column(`SELECT DISTINCT c FROM (${each}) ORDER BY c`)
}

/** The engine, on which something else happens right before a run asks how it stands: at the end of its analysis. */
function interrupted(meanwhile: () => Promise<void>): ClickHouse {
  const { clickhouse } = engine
  return {
    ...clickhouse,
    async query(query, params) {
      if (query.name === runStandingQuery.name) await meanwhile()
      return await clickhouse.query(query, params)
    },
  }
}

// A cycle takes a second on an idle machine.
describe('two analyzers', { timeout: 600_000 }, () => {
  it('at the same time open each finding once, and later change nothing', async () => {
    await storeTwoRings()
    const first = await Promise.all([cycle('a-0'), cycle('b-0')])
    for (const { findings } of first) expect(membersOf(findings)).toEqual(RINGS)
    const opened = await revisions()
    expect(opened).toHaveLength(RINGS.length)
    const ids = idsOf(first[0].findings)
    const loop = async (name: string): Promise<void> => {
      for (let turn = 1; turn <= 2; turn += 1) {
        const { findings, revisions: added } = await cycle(`${name}-${turn}`)
        expect({ ids: idsOf(findings), added }).toEqual({ ids, added: [] })
      }
    }
    await Promise.all([loop('a'), loop('b')])
    expect(await revisions()).toEqual(opened)
  })

  it('in turns leave the findings as they are', async () => {
    await storeTwoRings()
    await cycle('a-0')
    const opened = await revisions()
    for (let turn = 1; turn <= 2; turn += 1) {
      for (const name of ['b', 'a']) expect((await cycle(`${name}-${turn}`)).revisions).toEqual([])
    }
    expect(await revisions()).toEqual(opened)
  })

  it('one that a later one overtook closes nothing and opens nothing, and has the findings that the later one left', async () => {
    await storeTwoRings()
    const later = { findings: 0 }
    const slow = interrupted(async () => {
      later.findings = (await cycle('later')).findings.length
    })
    const earlier = await cycle('earlier', EMPTY_WINDOW, slow)
    expect(later.findings).toBe(2)
    expect(earlier).toMatchObject({ isOvertaken: true, revisions: [] })
    expect(membersOf(earlier.findings)).toEqual(RINGS)
    expect((await readFindings(engine.clickhouse)).map(({ status }) => status)).toEqual(['opened', 'opened'])
  })
})

describe('the working tables', { timeout: 600_000 }, () => {
  it('are all that begin with analysis_, and partitioned by run', async () => {
    const partitioned = await column(
      `SELECT name AS c FROM system.tables WHERE database = currentDatabase() AND startsWith(name, 'analysis_') AND partition_key = 'run_id' ORDER BY c`,
    )
    const all = await column(
      `SELECT name AS c FROM system.tables WHERE database = currentDatabase() AND startsWith(name, 'analysis_') ORDER BY c`,
    )
    expect(partitioned).toEqual([...WORKING_TABLES].toSorted())
    expect(all).toEqual(partitioned)
  })

  it('keep the latest finished run, and every run that may be under way', async () => {
    await storeTwoRings()
    await cycle('first')
    expect(await runsHeld()).toEqual(['first'])
    const seen: string[][] = []
    await cycle(
      'under-way',
      WINDOW,
      interrupted(async () => {
        await cycle('second')
        await cycle('third')
        seen.push(await runsHeld())
      }),
    )
    expect(seen).toEqual([['second', 'third', 'under-way']])
    // The run that began last is `third`, though `under-way` finished after it.
    await cycle('fourth')
    expect(await runsHeld()).toEqual(['fourth', 'third'])
  })

  it('of a run that takes too long are dropped, and it says nothing of what is left of them', async () => {
    await storeTwoRings()
    await cycle('before')
    const opened = await revisions()
    await engine.clickhouse.command(
      `INSERT INTO analyzer_runs (run_id, state, created) SELECT 'slow', 'begun', now64(6) - INTERVAL 2 HOUR`,
    )
    const given = cycle(
      'slow',
      EMPTY_WINDOW,
      interrupted(async () => void (await cycle('other'))),
    )
    await expect(given).rejects.toThrow('was given up by another analyzer')
    expect(await revisions()).toEqual(opened)
    expect(await runsHeld()).not.toContain('slow')
  })

  it('of a run that broke off long ago are dropped', async () => {
    await storeTwoRings()
    await engine.clickhouse.command(
      `INSERT INTO analyzer_runs (run_id, state, created) SELECT 'broken', 'begun', now64(6) - INTERVAL 2 HOUR`,
    )
    await engine.clickhouse.command(
      `INSERT INTO analysis_pair (run_id, app_a, app_b, rule) SELECT 'broken', 'a', 'b', 'r'`,
    )
    await cycle('next')
    expect(await runsHeld()).toEqual(['next'])
  })
})
