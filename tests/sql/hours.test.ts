/** Invariant 2: every rollup equals the raw rows after a computation, however often and in whatever order hours were computed. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'

import { compareHours, computeHours, rebuildHours, ROLLUPS } from '../../services/analyzer/run/hours.ts'
import { openEngine, type Engine } from '../support/analyzer-engine.ts'
import { platform } from '../support/analyzer-ring.ts'
import { HOUR_MS, START_MS, store, unrelated, WINDOW, type Burst } from '../support/analyzer-traffic.ts'

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

const SPAN = { fromMs: START_MS - 100 * HOUR_MS, toMs: START_MS + 100 * HOUR_MS }

/** Requests of a table, by app. */
async function totals(table: string, requests: string, where = '1'): Promise<Map<string, number>> {
  const rows = await engine.clickhouse.select(
    `SELECT toString(app_id) AS app, ${requests} AS n FROM ${table} WHERE ${where} GROUP BY app ORDER BY app`,
    z.object({ app: z.string(), n: z.coerce.number() }),
  )
  return new Map(rows.map(({ app, n }) => [app, n]))
}

/** Tables, and (hour, app), that do not hold what the raw rows say. */
async function inexact(): Promise<unknown[]> {
  const raw = await totals('requests', 'count()')
  const ofUsers = await totals('requests', 'count()', `user_id != ''`)
  const rolled = await Promise.all(
    ROLLUPS.map(async ({ table }) => ({ table, apps: await totals(`${table} FINAL`, 'sum(requests)') })),
  )
  const wrong = rolled.filter(({ table, apps }) => {
    const right = table === 'app_user_hourly' ? ofUsers : raw
    return apps.size !== right.size || apps.entries().some(([app, n]) => right.get(app) !== n)
  })
  return [...wrong, ...(await compareHours(engine.clickhouse, SPAN))]
}

const burst = (app: string, requests: number, hours: readonly [number, number]): Burst => ({
  app,
  requests,
  network: '192.0.2.7',
  hours,
})

describe('the rollups', () => {
  it('hold of each app exactly the requests that the raw table holds', async () => {
    await store(engine.clickhouse, platform(2))
    expect(await inexact()).toEqual([])
  })

  it('stay right when hours are computed again, by anybody, before and after a merge', async () => {
    await store(engine.clickhouse, unrelated(40, 3))
    for (let again = 0; again < 3; again += 1) await computeHours(engine.clickhouse, `again-${again}`)
    expect(await inexact()).toEqual([])
    await engine.clickhouse.command('OPTIMIZE TABLE app_minute FINAL')
    await Promise.all([computeHours(engine.clickhouse, 'one'), computeHours(engine.clickhouse, 'other')])
    expect(await inexact()).toEqual([])
  })

  it('grow with late rows, and only the hours that got some are computed', async () => {
    await store(engine.clickhouse, { bursts: [burst('a', 50, [1, 2]), burst('b', 50, [1, 2])], apps: [] }, 'first')
    // As if the first had arrived long ago.
    await engine.clickhouse.command(
      'ALTER TABLE requests UPDATE ingested_at = ingested_at - 7200 WHERE 1 SETTINGS mutations_sync = 1',
    )
    await engine.clickhouse.insertBlock({
      table: 'landing',
      columns: ['source', 'partition', 'offset', 'reason', 'timestamp', 'app_id', 'client_ip', 'route', 'user_id'],
      body: Buffer.from(
        `late\t0\t0\t\t${new Date(START_MS + 1.5 * HOUR_MS).toISOString().slice(0, 19).replace('T', ' ')}\ta\t192.0.2.7\t/late\t\n`,
      ),
      token: 'late/0/0-1',
    })
    expect(await computeHours(engine.clickhouse, 'late')).toBe(1)
    expect(await inexact()).toEqual([])
  })

  it('are not lowered by rows that expired from the raw table', async () => {
    await store(engine.clickhouse, { bursts: [burst('a', 50, [1, 2])], apps: [] }, 'all')
    await engine.clickhouse.command('ALTER TABLE requests DELETE WHERE offset < 20 SETTINGS mutations_sync = 1')
    await computeHours(engine.clickhouse, 'after')
    expect((await totals('app_network_route_hourly FINAL', 'sum(requests)')).get('a')).toBe(50)
    const differences = await compareHours(engine.clickhouse, SPAN)
    expect(differences.map(({ raw_requests, rolled_requests }) => [raw_requests, rolled_requests])).toContainEqual([
      30, 50,
    ])
  })

  it('are replaced by a rebuild, which is what lowers them', async () => {
    await store(engine.clickhouse, { bursts: [burst('a', 50, [1, 2]), burst('a', 10, [5, 6])], apps: [] }, 'all')
    await engine.clickhouse.command('ALTER TABLE requests DELETE WHERE offset < 20 SETTINGS mutations_sync = 1')
    await engine.clickhouse.command(`ALTER TABLE app_minute DELETE WHERE app_id = 'a' SETTINGS mutations_sync = 1`)
    await rebuildHours(engine.clickhouse, 'rebuild', WINDOW)
    expect(await inexact()).toEqual([])
  })
})
