/** The audit of the tables alone: rows against the ledger. */
import { afterAll, beforeAll, expect, test } from 'vitest'

import { addRecord, openBatch } from '../../services/ingest/blocks/block.ts'
import { decodeText } from '../../services/ingest/decode/decode.ts'
import { createRowBuffer } from '../../services/ingest/blocks/encode.ts'
import { reconcile } from '../../services/ingest/reconcile.ts'
import { DEFAULT_RETRY, insertBatch } from '../../services/ingest/blocks/insert.ts'
import { DECODE, numberedRecord } from '../../rig/requests.ts'
import { openTemporaryEngine, type TemporaryEngine } from '../support/temporary-engine.ts'

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

const audit = async () => await reconcile({ clickhouse: engine.clickhouse, kafka: undefined, isRepair: true })
const SOUND = { gaps: [], behind: [], doubles: [], short: [], repaired: [] }

test('tables that agree are found right', async () => {
  expect(await audit()).toEqual(SOUND)
})

test('a row that is stored twice is told, and left as it is', async () => {
  const { clickhouse } = engine
  const twice = `INSERT INTO requests SELECT * FROM requests WHERE offset = 7 SETTINGS insert_deduplicate = 0`
  await clickhouse.command(twice)
  const found = { source: 'topic', partition: 0, rows: RECORDS + 1, offsets: RECORDS }
  expect(await audit()).toEqual({ ...SOUND, doubles: [found] })
  await clickhouse.command('ALTER TABLE requests DELETE WHERE offset = 7 SETTINGS mutations_sync = 1')
})

test('a block of which rows are gone is told, and without Kafka nothing brings them back', async () => {
  const { clickhouse } = engine
  await clickhouse.command('ALTER TABLE requests DELETE WHERE offset < 200 SETTINGS mutations_sync = 1')
  const block = { source: 'topic', partition: 0, from: 0, to: RECORDS, recorded: RECORDS, stored: 400 }
  expect(await audit()).toEqual({ ...SOUND, short: [block] })
})
