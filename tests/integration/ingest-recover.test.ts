/** What a kill can leave behind, made by hand on the real engine: a block in some tables only, tokens without rows. */
import assert from 'node:assert/strict'
import { appendFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'

import { ingestFiles, type IngestResult } from '../../services/ingest/files/ingest-files.ts'
import { DECODE, FULL_RECORD } from '../../rig/requests.ts'
import { openTemporaryEngine, type TemporaryEngine } from '../support/temporary-engine.ts'
import { assertConsistent } from '../support/totals.ts'

let engine: TemporaryEngine
beforeAll(async () => {
  engine = await openTemporaryEngine()
})
afterAll(async () => await engine.remove())

const LIMITS = { rows: 100, bytes: 1e9 } as const
const HOUR_MS = 3_600_000

/** Line `index` of file `number`: a block of 100 lines is one hour that no other block has; some lines are dead. */
function line(number: number, index: number): string {
  if (index % 10 === 7) return `dead line ${number} ${index}`
  return JSON.stringify({
    ...FULL_RECORD,
    timestamp: Date.UTC(2026, 0, 1) + (number * 100 + Math.floor(index / 100)) * HOUR_MS + index,
    app_id: `app-${index % 7}`,
    user_id: index % 3 === 0 ? null : `u-${index}`,
    status_code: index % 5 === 0 ? 429 : 200,
  })
}

function lines(number: number, from: number, to: number): string {
  return Array.from({ length: to - from }, (_, index) => `${line(number, from + index)}\n`).join('')
}

let files = 0
/** A new file of 300 lines, three blocks, in the database. */
async function ingestedFile(): Promise<{ path: string; number: number; source: string }> {
  files += 1
  const path = join(engine.directory, `${files}.ndjson`)
  await writeFile(path, lines(files, 0, 300))
  expect(await ingest(path)).toMatchObject({ read: 300, stored: 270, dead: 30 })
  await unseal()
  const [row] = await engine.clickhouse.select(
    'SELECT source FROM ingest_ledger ORDER BY ingested_at DESC, source IN (SELECT source FROM requests WHERE timestamp >= {from:DateTime64(3)}) DESC LIMIT 1',
    z.object({ source: z.string() }),
    { from: (Date.UTC(2026, 0, 1) + files * 100 * HOUR_MS) / 1000 },
  )
  return { path, number: files, source: row?.source ?? '' }
}

async function ingest(path: string): Promise<IngestResult> {
  return await ingestFiles({ clickhouse: engine.clickhouse, files: [path], decode: DECODE, limits: LIMITS })
}

function unrepaired(result: IngestResult): unknown[] {
  return result.problems.filter((problem) => problem.reason === 'not_repaired')
}

/** Takes back what a run says at its end, as if it had been killed before. */
async function unseal(): Promise<void> {
  await remove('ingest_ledger', 'offset_from = offset_to')
}

async function remove(table: string, condition: string): Promise<void> {
  await engine.clickhouse.command(`ALTER TABLE ${table} DELETE WHERE ${condition} SETTINGS mutations_sync = 2`)
}

afterEach(async () => {
  const { raw } = await assertConsistent(engine.clickhouse)
  assert.equal(raw, files * 270 + extra)
})
/** Records stored beyond those of ingestedFile. */
let extra = 0

function lastHour(number: number): string {
  return `toDateTime(${(Date.UTC(2026, 0, 1) + (number * 100 + 2) * HOUR_MS) / 1000}, 'UTC')`
}

const OFFSETS = 'offset >= 200 AND offset < 300'

test.each<[string, (source: string, number: number) => string]>([
  ['requests', (source) => `source = '${source}' AND ${OFFSETS}`],
  ['dead_requests', (source) => `source = '${source}' AND ${OFFSETS}`],
  ['app_network_hourly', (_, number) => `hour = ${lastHour(number)}`],
  ['app_user_hourly', (_, number) => `hour = ${lastHour(number)}`],
  ['app_route_hourly', (_, number) => `hour = ${lastHour(number)}`],
  ['app_user_agent_hourly', (_, number) => `hour = ${lastHour(number)}`],
  ['app_minute', (_, number) => `toStartOfHour(minute) = ${lastHour(number)}`],
  ['throttle_events', (_, number) => `toStartOfHour(timestamp) = ${lastHour(number)}`],
])(
  'a last block whose token is in %s without its rows is completed there, and nowhere else',
  async (table, condition) => {
    const { path, number, source } = await ingestedFile()
    await remove(table, condition(source, number))
    expect(await ingest(path)).toMatchObject({ stored: 0, dead: 0, duplicate: 300, problems: [] })
    expect(await ingest(path)).toMatchObject({ stored: 0, duplicate: 300, problems: [] })
  },
)

test.each(['requests', 'dead_requests', 'app_network_hourly', 'app_user_hourly', 'app_minute', 'throttle_events'])(
  'a block that is not in the ledger, with a token without rows in %s, is completed',
  async (table) => {
    const { path, number, source } = await ingestedFile()
    const own = `source = '${source}' AND ${OFFSETS}`
    const hour =
      table === 'app_minute'
        ? 'toStartOfHour(minute)'
        : table === 'throttle_events'
          ? 'toStartOfHour(timestamp)'
          : 'hour'
    await remove('ingest_ledger', `source = '${source}' AND offset_from = 200`)
    await remove(table, table.endsWith('requests') ? own : `${hour} = ${lastHour(number)}`)
    const result = await ingest(path)
    expect(result).toMatchObject({ duplicate: 200, stored: 90, dead: 10 })
    expect(unrepaired(result)).toEqual([])
    expect(await ingest(path)).toMatchObject({ stored: 0, duplicate: 300, problems: [] })
  },
)

test('a block of which only some rows are in is completed', async () => {
  const { path, source } = await ingestedFile()
  await remove('requests', `source = '${source}' AND offset >= 250`)
  expect(await ingest(path)).toMatchObject({ stored: 0, duplicate: 300 })
})

test('a file that was killed in its last block and has grown since is completed', async () => {
  const { path, number, source } = await ingestedFile()
  await remove('ingest_ledger', `source = '${source}' AND offset_from = 200`)
  await remove('app_minute', `toStartOfHour(minute) = ${lastHour(number)}`)
  await appendFile(path, lines(number, 300, 350))
  extra += 45
  expect(unrepaired(await ingest(path))).toEqual([])
  expect(await ingest(path)).toMatchObject({ read: 350, stored: 0, duplicate: 350, problems: [] })
})

test('a rollup that lacks the block after the last one in the ledger gets that block, not another of the same size', async () => {
  files += 1
  const path = join(engine.directory, 'same-hour.ndjson')
  const start = Date.UTC(2027, 0, 1)
  const content = Array.from({ length: 300 }, (_, index) =>
    JSON.stringify({ ...FULL_RECORD, timestamp: start + index * 10_000, app_id: `app-${index % 7}` }),
  )
  extra += 30
  await writeFile(path, content.join('\n'))
  expect(await ingest(path)).toMatchObject({ stored: 300 })
  await unseal()
  const ofHour = `timestamp >= toDateTime(${start / 1000}, 'UTC')`
  await remove('ingest_ledger', `offset_from = 200 AND source IN (SELECT source FROM requests WHERE ${ofHour})`)
  await remove('app_minute', `minute >= toDateTime(${start / 1000}, 'UTC')`)
  await engine.clickhouse.command(
    `INSERT INTO app_minute (minute, app_id, requests, throttled)
     SELECT toStartOfMinute(timestamp), app_id, count(), 0 FROM requests WHERE ${ofHour} AND offset < 200 GROUP BY 1, 2`,
  )
  expect(unrepaired(await ingest(path))).toEqual([])
  const wrong = await engine.clickhouse.select(
    `SELECT minute, app_id FROM
     (SELECT minute, app_id, sum(requests) AS rolled FROM app_minute GROUP BY minute, app_id) AS one
     FULL JOIN (SELECT toStartOfMinute(timestamp) AS minute, app_id, count() AS raw FROM requests GROUP BY minute, app_id) AS other USING (minute, app_id)
     WHERE raw != rolled`,
    z.object({}),
  )
  expect(wrong).toEqual([])
})
