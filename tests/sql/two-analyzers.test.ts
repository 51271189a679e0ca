/** Several analyzers on one store, as in a rolling deploy (invariants 7 and 15): the findings are those of one. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { ClickHouse } from '#lib/clickhouse.ts'
import type { Finding } from '#schemas/finding.ts'
import { runCycle, type Cycle } from '../../services/analyzer/cycles.ts'
import { readFindings } from '../../services/analyzer/findings/store.ts'
import { beginRun, runStandingQuery } from '../../services/analyzer/run/runs.ts'
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
  const other = ring(OTHER_RING, {
    network: '203.0.113.77',
    agent: 'toolbox/3',
    route: '/v1/route-7',
    requests: 30,
    limit: 10,
  })
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

describe('a run', { timeout: 600_000 }, () => {
  it('that broke off overtakes nobody', async () => {
    await storeTwoRings()
    const slow = interrupted(async () => await beginRun(engine.clickhouse, 'broken'))
    const done = await cycle('whole', WINDOW, slow)
    expect(done.isOvertaken).toBe(false)
    expect(membersOf(done.findings)).toEqual(RINGS)
  })

  it('leaves nothing in the store but hours, findings and its place among the runs', async () => {
    await storeTwoRings()
    const filled = async (): Promise<string[]> =>
      await column(
        `SELECT name AS c FROM system.tables WHERE database = currentDatabase() AND total_rows > 0 AND name != 'schema_migrations' ORDER BY c`,
      )
    const before = new Set(await filled())
    await cycle('only')
    expect((await filled()).filter((name) => !before.has(name))).toEqual([
      'analyzer_runs',
      'finding_apps',
      'finding_evidence',
      'findings',
    ])
  })
})
