/** One block into the real engine: values arrive as they were, one bad row holds nothing up. */
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'

import { UINT32_MAX } from '#schemas/request-record.ts'

import { addDead, addRecord, openBatch, type Batch } from '../../services/ingest/blocks/block.ts'
import { createRowBuffer } from '../../services/ingest/blocks/encode.ts'
import type { LandingRecord } from '../../services/ingest/decode/landing-record.ts'
import { DEFAULT_RETRY, insertBatch } from '../../services/ingest/blocks/insert.ts'
import { SPAN } from '../../rig/requests.ts'
import { openTemporaryEngine, type TemporaryEngine } from '../support/temporary-engine.ts'
import { consistentTotals, readTotals } from '../support/totals.ts'

let engine: TemporaryEngine
beforeAll(async () => {
  engine = await openTemporaryEngine()
})
afterAll(async () => await engine.remove())

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }).filter((value) => value.isWellFormed()),
  fc.string({
    unit: fc.constantFrom('\t', '\n', '\\', '\0', '\r', '\b', '\f', "'", '"', 'N', 'é', '\u{1F600}', '\u007f'),
    maxLength: 30,
  }),
)
const count = (max: number) => fc.option(fc.oneof(fc.integer({ min: 0, max }), fc.constantFrom(0, max)))

const arbitraryRecord: fc.Arbitrary<LandingRecord> = fc.record({
  timestamp_ms: fc.oneof(
    fc.integer({ min: Date.UTC(2015, 0, 1), max: SPAN.latestMs }),
    fc.constantFrom(86_400_000, 999_999_999_999, 1_000_000_000_000),
  ),
  app_id: text,
  client_ip: fc.oneof(fc.ipV4(), fc.constantFrom('::', '2001:db8::1', 'fe80::1')),
  method: text,
  route: text,
  status_code: fc.integer({ min: 0, max: 599 }),
  user_id: text,
  user_agent: text,
  request_id: text,
  credential_id: text,
  ratelimit_limit: count(UINT32_MAX),
  ratelimit_remaining: count(UINT32_MAX),
  ratelimit_reset: count(UINT32_MAX),
  // Halves up to 2^22: what Float32 holds exactly.
  duration_ms: fc.option(fc.integer({ min: 0, max: 2 ** 23 }).map((halves) => halves / 2)),
  request_bytes: count(Number.MAX_SAFE_INTEGER),
  response_bytes: count(Number.MAX_SAFE_INTEGER),
  host: text,
  region: text,
  gateway: text,
  trace_id: text,
})

const StoredRow = z.looseObject({ offset: z.coerce.number(), timestamp_ms: z.coerce.number(), client_ip: z.string() })

test('every value comes out of the table as it was put in', async () => {
  let run = 0
  await fc.assert(
    fc.asyncProperty(fc.array(arbitraryRecord, { minLength: 1, maxLength: 40 }), async (records) => {
      run += 1
      const batch = openBatch({ source: `round-trip-${run}`, partition: run }, createRowBuffer(64))
      for (const [offset, record] of records.entries()) addRecord(batch, offset, record, 1)
      expect(await insertBatch(engine.clickhouse, batch, DEFAULT_RETRY)).toBe(0)
      const rows = await engine.clickhouse.select(
        `SELECT offset, toUnixTimestamp64Milli(timestamp) AS timestamp_ms, replaceRegexpOne(IPv6NumToString(client_ip), '^::ffff:(.*[.].*)$', '\\\\1') AS client_ip,
                * EXCEPT (source, partition, offset, timestamp, client_ip, ingested_at, request_bytes, response_bytes),
                request_bytes::Nullable(Float64) AS request_bytes, response_bytes::Nullable(Float64) AS response_bytes
         FROM requests WHERE source = {source:String} ORDER BY offset`,
        StoredRow,
        { source: batch.source },
      )
      expect(rows).toEqual(records.map((record, offset) => ({ ...record, offset })))
    }),
    { numRuns: 40 },
  )
})

test('the bytes of dead records come out as they were read', async () => {
  const batch = openBatch({ source: 'dead-bytes', partition: 0 }, createRowBuffer(64))
  const payloads = [
    Buffer.from([...Array(256).keys()]),
    Buffer.alloc(0),
    Buffer.alloc(70_000, 200),
    Buffer.from('\\N\t\n'),
  ]
  for (const [offset, payload] of payloads.entries())
    addDead(batch, offset, { reason: 'not_utf8', detail: 'tab\there' }, payload, payload.length)
  await insertBatch(engine.clickhouse, batch, DEFAULT_RETRY)
  const rows = await engine.clickhouse.select(
    `SELECT hex(payload) AS payload, detail FROM dead_requests WHERE source = 'dead-bytes' ORDER BY offset`,
    z.object({ payload: z.string(), detail: z.string() }),
  )
  expect(rows.map((row) => row.payload.toLowerCase())).toEqual(
    payloads.map((payload) => payload.subarray(0, 65_536).toString('hex')),
  )
  expect(rows[0]?.detail).toBe('tab\there')
})

const PLAIN_RECORD: LandingRecord = {
  timestamp_ms: Date.UTC(2026, 0, 1),
  app_id: 'a',
  client_ip: '10.0.0.1',
  method: 'GET',
  route: '/x',
  status_code: 200,
  user_id: 'u',
  user_agent: 'x',
  request_id: '',
  credential_id: '',
  ratelimit_limit: 1,
  ratelimit_remaining: 1,
  ratelimit_reset: 1,
  duration_ms: 1,
  request_bytes: 1,
  response_bytes: 1,
  host: '',
  region: '',
  gateway: '',
  trace_id: '',
}

/** A batch in which the rows at `bad` hold what no column takes. */
function batchWithBadRows(source: string, size: number, bad: readonly number[]): Batch {
  const batch = openBatch({ source, partition: 0 }, createRowBuffer(64))
  for (let offset = 0; offset < size; offset += 1) {
    addRecord(batch, offset, { ...PLAIN_RECORD, status_code: bad.includes(offset) ? Number.NaN : 200 }, 1)
  }
  return batch
}

test.each([
  ['first', 64, [0]],
  ['middle', 63, [31]],
  ['last', 64, [63]],
  ['some', 50, [7, 8, 30, 49]],
  ['only', 1, [0]],
  ['all', 5, [0, 1, 2, 3, 4]],
])('of a block that the engine refuses, only the row at fault is dead: %s', async (name, size, bad) => {
  const before = await readTotals(engine.clickhouse)
  const batch = batchWithBadRows(`refused-${name}`, size, bad)
  expect(await insertBatch(engine.clickhouse, batch, DEFAULT_RETRY)).toBe(bad.length)
  const totals = await readTotals(engine.clickhouse)
  expect(totals).toEqual(consistentTotals(totals))
  expect(totals.raw - before.raw).toBe(size - bad.length)
  const dead = await engine.clickhouse.select(
    'SELECT offset, reason, payload FROM dead_requests WHERE source = {source:String} ORDER BY offset',
    z.object({ offset: z.coerce.number(), reason: z.string(), payload: z.string() }),
    { source: batch.source },
  )
  expect(dead.map((row) => row.offset)).toEqual(bad)
  expect(dead.every((row) => row.reason === 'refused_by_engine' && row.payload.includes('NaN'))).toBe(true)
  // The same block again, as after a crash: nothing is counted twice.
  await insertBatch(engine.clickhouse, batch, DEFAULT_RETRY)
  expect(await readTotals(engine.clickhouse)).toEqual(totals)
})

/** Invariant 2. */
test('the same block under the same token is stored once, in every table', async () => {
  const batch = batchWithBadRows('replayed', 500, [])
  await insertBatch(engine.clickhouse, batch, DEFAULT_RETRY)
  const totals = await readTotals(engine.clickhouse)
  await insertBatch(engine.clickhouse, batch, DEFAULT_RETRY)
  expect(await readTotals(engine.clickhouse)).toEqual(totals)
})

/** Invariant 6. */
test('the settings of an insert end with it: no token and no name stay in the session', async () => {
  const { clickhouse } = engine
  await insertBatch(clickhouse, batchWithBadRows('settings', 500, []), DEFAULT_RETRY)
  const stayed = await clickhouse.select(
    `SELECT name, value FROM system.settings WHERE name IN ('insert_deduplication_token', 'log_comment') ORDER BY name`,
    z.object({ name: z.string(), value: z.string() }),
  )
  expect(stayed).toEqual([
    { name: 'insert_deduplication_token', value: '' },
    { name: 'log_comment', value: '' },
  ])
})

test('a block over two years of weeks is one insert', async () => {
  const batch = openBatch({ source: 'weeks', partition: 0 }, createRowBuffer(64))
  for (let week = 0; week < 104; week += 1)
    addRecord(batch, week, { ...PLAIN_RECORD, timestamp_ms: Date.UTC(2016, 0, 4) + week * 604_800_000 }, 1)
  expect(await insertBatch(engine.clickhouse, batch, DEFAULT_RETRY)).toBe(0)
})
