/** What a kill can leave behind, made by hand on the real engine: a block in some tables only, tokens without rows. */
import assert from 'node:assert/strict'
import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'

import { DEFAULT_RETRY } from '../../services/ingest/blocks/insert.ts'
import { insertLedgerEntry } from '../../services/ingest/blocks/ledger.ts'
import { fileIdentity } from '../../services/ingest/files/identity.ts'
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

const OFFSETS = 'offset >= 200 AND offset < 300'

/** Every way to lose something of the last block: whole tables of it, or some of its rows, or several at once. */
const LOSSES = {
  requests: [['requests', OFFSETS]],
  dead_requests: [['dead_requests', OFFSETS]],
  'requests and dead_requests': [
    ['requests', OFFSETS],
    ['dead_requests', OFFSETS],
  ],
  'some rows of both': [
    ['requests', 'offset >= 250'],
    ['dead_requests', 'offset >= 220 AND offset < 280'],
  ],
} as const

const cases = Object.entries(LOSSES)

test.each(cases)('a last block whose token is there without rows is completed: %s', async (_, losses) => {
  const { path, source } = await ingestedFile()
  for (const [table, rows] of losses) await remove(table, `source = '${source}' AND ${rows}`)
  expect(await ingest(path)).toMatchObject({ stored: 0, dead: 0, duplicate: 300, problems: [] })
  expect(await ingest(path)).toMatchObject({ stored: 0, duplicate: 300, problems: [] })
})

test.each(cases)('a block that is not in the ledger either is completed: %s', async (_, losses) => {
  const { path, source } = await ingestedFile()
  await remove('ingest_ledger', `source = '${source}' AND offset_from = 200`)
  for (const [table, rows] of losses) await remove(table, `source = '${source}' AND ${rows}`)
  expect(await ingest(path)).toMatchObject({ duplicate: 200, stored: 90, dead: 10 })
  expect(await ingest(path)).toMatchObject({ stored: 0, duplicate: 300, problems: [] })
})

test('a file that was killed in its last block and has grown since is completed', async () => {
  const { path, number, source } = await ingestedFile()
  await remove('ingest_ledger', `source = '${source}' AND offset_from = 200`)
  await remove('dead_requests', `source = '${source}' AND ${OFFSETS}`)
  await appendFile(path, lines(number, 300, 350))
  extra += 45
  expect(await ingest(path)).toMatchObject({ read: 350 })
  expect(await ingest(path)).toMatchObject({ read: 350, stored: 0, duplicate: 350, problems: [] })
})

test('lines that are in under an earlier identity are not stored again, whatever became of the note that says so', async () => {
  const path = join(engine.directory, 'grows.ndjson')
  files += 1
  const [first = '', ...rest] = lines(files, 0, 6).split(/(?<=\n)/)
  await writeFile(path, first)
  expect(await ingest(path)).toMatchObject({ read: 1, stored: 1 })
  // A kill at the insert of the note that the next run makes: its token is known, its row is not there.
  await appendFile(path, rest.join(''))
  const { source } = fileIdentity(await readFile(path))
  const note = { source, partition: 0, from: 0, to: 1, records: 0, dead: 0 }
  await insertLedgerEntry(engine.clickhouse, note, 1, DEFAULT_RETRY)
  await remove('ingest_ledger', `source = '${source}'`)
  expect(await ingest(path)).toMatchObject({ read: 6, stored: 5, duplicate: 1 })
  expect(await ingest(path)).toMatchObject({ read: 6, stored: 0, duplicate: 6 })
  extra += 6 - 270
})
