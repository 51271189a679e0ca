/** The audit of the rollups against the raw rows (invariant 2): what is a fault, what is none, and what a repair may touch. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { openClickHouse, type ClickHouse } from '#lib/clickhouse.ts'
import { rawRetentionSeconds } from '#lib/raw-retention.ts'
import { auditHours, spansOf, type RollupAudit } from '../../services/analyzer/run/audit-hours.ts'
import { computeHours, ROLLUPS } from '../../services/analyzer/run/hours.ts'
import { addRecord, openBatch } from '../../services/ingest/blocks/block.ts'
import { createRowBuffer } from '../../services/ingest/blocks/encode.ts'
import { DEFAULT_RETRY, insertBatch } from '../../services/ingest/blocks/insert.ts'
import { decodeText } from '../../services/ingest/decode/decode.ts'
import { DECODE, numberedRecord } from '../../rig/requests.ts'
import { openTemporaryEngine, type TemporaryEngine } from '../support/temporary-engine.ts'

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))
const NOW_MS = Date.now()
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const RECORDS = 200

let engine: TemporaryEngine
beforeAll(async () => {
  engine = await openTemporaryEngine()
})
afterAll(async () => await engine.remove())

/** A block of requests within the hour before `endMs`. */
async function ingest(source: string, endMs: number): Promise<void> {
  const batch = openBatch({ source, partition: 0 }, createRowBuffer())
  for (let offset = 0; offset < RECORDS; offset += 1) {
    const line = JSON.stringify({ ...numberedRecord(offset), timestamp: endMs - 1 - offset * 10_000 })
    const decoded = decodeText(line, { ...DECODE, latestMs: NOW_MS + 1 })
    if (decoded.kind === 'dead') throw new Error(decoded.detail)
    addRecord(batch, offset, decoded.record, line.length)
  }
  await insertBatch(engine.clickhouse, batch, DEFAULT_RETRY)
}

const command = async (sql: string): Promise<void> => await engine.clickhouse.command(sql)
const WAIT = 'SETTINGS mutations_sync = 1'

/** The start of an hour some days ago. */
const daysAgo = (days: number): number => Math.floor((NOW_MS - days * DAY_MS) / HOUR_MS) * HOUR_MS
const RECENT_MS = daysAgo(2)
const OLD_MS = daysAgo(40)

let audits = 0
async function audit(isRepair = false, mayReplace = true): Promise<RollupAudit> {
  audits += 1
  return await auditHours({ clickhouse: engine.clickhouse, isRepair, mayReplace, runId: `audit-${audits}` })
}
const SOUND = { notYetCounted: 0, outlived: 0, wrong: [], repaired: [] }
const wrongTables = ({ wrong }: RollupAudit): string[] => wrong.map(({ table }) => table).toSorted()

/** As if everything had arrived hours ago and had been counted. */
async function settle(): Promise<void> {
  await command(`ALTER TABLE requests UPDATE ingested_at = ingested_at - 7200 WHERE 1 ${WAIT}`)
  await computeHours(engine.clickhouse, `settle-${audits}`)
}

beforeEach(async () => {
  const tables = ['requests', 'dead_requests', 'ingest_ledger', 'touched_hour', 'rollup_progress']
  for (const table of [...tables, ...ROLLUPS.map((rollup) => rollup.table)]) await command(`TRUNCATE TABLE ${table}`)
  await ingest(`topic-${audits}`, RECENT_MS)
})

async function requestsIn(table: string): Promise<number | undefined> {
  const Total = z.object({ n: z.coerce.number() })
  return (await engine.clickhouse.select(`SELECT sum(requests) AS n FROM ${table} FINAL`, Total))[0]?.n
}

describe('no fault is', () => {
  test('a rollup that holds what the raw rows say', async () => {
    await settle()
    expect(await audit()).toEqual(SOUND)
    expect(await audit(true)).toEqual(SOUND)
  })

  test('a row that is not yet counted; a repair counts it', async () => {
    const found = await audit()
    expect(found).toEqual({ ...SOUND, notYetCounted: found.notYetCounted })
    expect(found.notYetCounted).toBeGreaterThan(0)
    expect(await audit(true)).toEqual(SOUND)
    expect(await requestsIn('app_minute')).toBe(RECORDS)
  })

  test('an hour that outlived its raw rows; a repair leaves it alone', async () => {
    await ingest(`old-${audits}`, OLD_MS)
    await settle()
    await command(`ALTER TABLE requests DELETE WHERE timestamp < now() - INTERVAL 39 DAY AND offset >= 50 ${WAIT}`)
    const found = await audit(true)
    expect(found).toEqual({ ...SOUND, outlived: found.outlived })
    expect(found.outlived).toBeGreaterThan(0)
    expect(await requestsIn('app_minute')).toBe(2 * RECORDS)
  })
})

describe('a fault is', () => {
  test('a rollup that lacks rows that were counted long ago, of any age; a repair counts them again', async () => {
    await ingest(`old-${audits}`, OLD_MS)
    await settle()
    await command(`DELETE FROM app_minute WHERE 1`)
    const found = await audit()
    expect(wrongTables(found)).toEqual(['app_minute'])
    expect(found.wrong[0]).toMatchObject({ excess: 0, first: { rolled_requests: 0 } })
    expect(await audit(true)).toEqual({ ...SOUND, repaired: ['2 hours were counted again'] })
    expect(await requestsIn('app_minute')).toBe(2 * RECORDS)
  })

  test('a rollup that holds more than the raw rows of a young hour; a repair replaces the hour', async () => {
    await settle()
    await command(`INSERT INTO app_user_hourly (hour, app_id, user_id, requests, ingested_on)
      SELECT hour, app_id, 'nobody', 7, ingested_on FROM app_user_hourly LIMIT 1`)
    const found = await audit()
    expect(found.wrong).toMatchObject([{ table: 'app_user_hourly', buckets: 1, excess: 1 }])
    expect(await audit(true)).toEqual({ ...SOUND, repaired: ['1 hours were replaced by what their raw rows say'] })
  })

  test('and it is told, but left as it is, where raw rows are gone', async () => {
    await settle()
    await command(`ALTER TABLE requests DELETE WHERE offset < 20 ${WAIT}`)
    const found = await audit(true, false)
    expect(found.repaired).toEqual([])
    expect(wrongTables(found)).toEqual(ROLLUPS.map(({ table }) => table).toSorted())
    expect(await requestsIn('app_minute')).toBe(RECORDS)
  })
})

test('how long raw rows are kept is read from the table', async () => {
  expect(await rawRetentionSeconds(engine.clickhouse)).toBe(30 * 86_400)
  await command('ALTER TABLE requests MODIFY TTL ingested_at + INTERVAL 6 WEEK')
  expect(await rawRetentionSeconds(engine.clickhouse)).toBe(42 * 86_400)
  await ingest(`old-${audits}`, OLD_MS)
  await settle()
  await command(`ALTER TABLE requests DELETE WHERE timestamp < now() - INTERVAL 39 DAY AND offset >= 50 ${WAIT}`)
  expect((await audit()).outlived).toBe(0)
  await command('ALTER TABLE requests MODIFY TTL ingested_at + toIntervalDay(30) WHERE status_code = 200')
  expect(await rawRetentionSeconds(engine.clickhouse)).toBe(30 * 86_400)
  await command('ALTER TABLE requests MODIFY TTL timestamp + INTERVAL 30 DAY')
  await expect(rawRetentionSeconds(engine.clickhouse)).rejects.toThrow('the TTL of requests')
  await command('ALTER TABLE requests REMOVE TTL')
  expect(await rawRetentionSeconds(engine.clickhouse)).toBeGreaterThan(10 * 365 * 86_400)
  await command('ALTER TABLE requests MODIFY TTL ingested_at + INTERVAL 30 DAY')
})

test('hours are repaired in spans, adjacent ones at once', () => {
  const hours = new Set([7200, 3600, 18_000])
  expect(spansOf(hours)).toEqual([
    { fromMs: 3_600_000, toMs: 10_800_000 },
    { fromMs: 18_000_000, toMs: 21_600_000 },
  ])
})

describe('the command', () => {
  interface Outcome {
    readonly code: number | null
    readonly stdout: string
  }

  /** Runs the program on the engine's directory, which serves one process at a time, and opens the engine again. */
  async function reconcile(...args: readonly string[]): Promise<Outcome> {
    await engine.clickhouse.close()
    const dataDir = join(engine.directory, 'data')
    const env = { PATH: process.env['PATH'], DATA_DIR: dataDir }
    const { promise, resolve } = Promise.withResolvers<Outcome>()
    const child = execFile(process.execPath, [MAIN, 'reconcile', '--tables-only', ...args], { env }, (_, stdout) =>
      resolve({ code: child.exitCode, stdout }),
    )
    const outcome = await promise
    const clickhouse: ClickHouse = await openClickHouse({ dataDir })
    const before = engine
    engine = {
      clickhouse,
      directory: before.directory,
      async remove() {
        await clickhouse.close()
        await before.remove()
      },
    }
    return outcome
  }

  test('says what is not yet counted, what is wrong and what was repaired, by its exit code too', async () => {
    expect(await reconcile()).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^not yet counted: \d+ buckets .*\nnothing is wrong\n$/),
    })
    await settle()
    await command('DELETE FROM app_minute WHERE 1')
    const found = await reconcile()
    expect(found.code).toBe(1)
    expect(found.stdout).toMatch(
      /^rollup: app_minute differs from the raw rows in \d+ hours of apps, first .* 0 in the rollup\n$/,
    )
    const json = await reconcile('--repair', '--json')
    expect(json.code).toBe(0)
    expect(JSON.parse(json.stdout)).toMatchObject({
      short: [],
      rollups: { wrong: [], repaired: ['1 hours were counted again'] },
    })
    expect(await reconcile()).toEqual({ code: 0, stdout: 'nothing is wrong\n' })
  })
})
