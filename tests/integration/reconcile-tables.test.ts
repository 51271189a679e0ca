/** The audit of the tables alone: what raw rows can and cannot set right. */
import { afterAll, beforeAll, expect, test } from 'vitest'

import { addRecord, openBatch } from '../../services/ingest/blocks/block.ts'
import { decodeText } from '../../services/ingest/decode/decode.ts'
import { createRowBuffer } from '../../services/ingest/blocks/encode.ts'
import { reconcile } from '../../services/ingest/reconcile.ts'
import { DEFAULT_RETRY, insertBatch } from '../../services/ingest/blocks/insert.ts'
import { DECODE, numberedRecord } from '../../rig/requests.ts'
import { openTemporaryEngine, type TemporaryEngine } from '../support/temporary-engine.ts'
import { readTotals } from '../support/totals.ts'

const NOW_MS = Date.now()
const RECORDS = 600
let engine: TemporaryEngine

beforeAll(async () => {
  engine = await openTemporaryEngine()
  const batch = openBatch({ source: 'topic', partition: 0 }, createRowBuffer())
  for (let offset = 0; offset < RECORDS; offset += 1) {
    const line = JSON.stringify({ ...numberedRecord(offset), timestamp: NOW_MS - offset * 60_000 })
    const decoded = decodeText(line, { ...DECODE, latestMs: NOW_MS + 1 })
    if (decoded.kind === 'dead') throw new Error(decoded.detail)
    addRecord(batch, offset, decoded.record, line.length)
  }
  await insertBatch(engine.clickhouse, batch, DEFAULT_RETRY)
})
afterAll(async () => await engine.remove())

const given = (isRepair: boolean) => ({ clickhouse: engine.clickhouse, kafka: undefined, isRepair, nowMs: NOW_MS })

test('a rollup that lost counts gets them back from the raw rows', async () => {
  const { clickhouse } = engine
  await clickhouse.command("ALTER TABLE app_minute DELETE WHERE app_id = 'app-3' SETTINGS mutations_sync = 1")
  const found = await reconcile(given(false))
  expect(found.differences).toEqual([expect.objectContaining({ rollup: 'app_minute', extra: 0 })])
  expect(found.differences[0]?.missing).toBeGreaterThan(0)
  const repaired = await reconcile(given(true))
  expect(repaired.left).toEqual([])
  expect(repaired.repaired).toHaveLength(1)
  expect((await readTotals(clickhouse)).minute).toBe(RECORDS)
  expect(await reconcile(given(false))).toMatchObject({ differences: [], short: [] })
})

test('where raw rows are gone for good, rollups that still count them are left alone', async () => {
  const { clickhouse } = engine
  await clickhouse.command('ALTER TABLE requests DELETE WHERE offset < 200 SETTINGS mutations_sync = 1')
  await clickhouse.command("ALTER TABLE app_minute DELETE WHERE app_id = 'app-5' SETTINGS mutations_sync = 1")
  const found = await reconcile(given(true))
  expect(found.short).toEqual([expect.objectContaining({ from: 0, to: RECORDS, recorded: RECORDS, stored: 400 })])
  expect(found.left).toHaveLength(6)
  const totals = await readTotals(clickhouse)
  expect(totals.raw).toBe(400)
  expect(totals.network).toBe(RECORDS)
  expect(totals.route).toBe(RECORDS)
  // What the raw table still has of app-5 is counted again.
  expect(totals.minute).toBeLessThan(RECORDS)
  expect(found.repaired).toEqual([expect.stringMatching(/^app_minute: \d+ buckets rebuilt/)])
})
