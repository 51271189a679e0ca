/** Files into the real engine: what is counted, what is dead, what was there before. */
import { copyFile, appendFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'

import { SidestepError } from '#lib/errors.ts'

import { ingestFiles, type IngestFilesOptions, type IngestResult } from '../../services/ingest/files/ingest-files.ts'
import { DECODE, FULL_RECORD, numberedLines } from '../../rig/requests.ts'
import { openTemporaryEngine, type TemporaryEngine } from '../support/temporary-engine.ts'
import { assertConsistent } from '../support/totals.ts'

let engine: TemporaryEngine
beforeAll(async () => {
  engine = await openTemporaryEngine()
})
afterAll(async () => await engine.remove())

// Invariant of the product, whatever a test did: each rollup total equals the raw table, the ledger equals raw + dead.
afterEach(async () => await assertConsistent(engine.clickhouse))

async function ingest(files: readonly string[], more: Partial<IngestFilesOptions> = {}): Promise<IngestResult> {
  const result = await ingestFiles({ clickhouse: engine.clickhouse, files, decode: DECODE, ...more })
  expect(result.stored + result.dead + result.duplicate).toBe(result.read)
  return result
}

/** Writes a file whose content is not that of any other test, and returns its path. */
async function file(name: string, content: string | Buffer): Promise<string> {
  const path = join(engine.directory, name)
  await writeFile(path, content)
  return path
}

async function* streamOf(text: string): AsyncGenerator<Buffer> {
  yield await Promise.resolve(Buffer.from(text))
}

/** A record of an app that no other test has. */
function record(app: string, more: Record<string, unknown> = {}): string {
  return JSON.stringify({ ...FULL_RECORD, app_id: app, ...more })
}

const DeadRow = z.object({ offset: z.coerce.number(), reason: z.string(), payload: z.string(), bytes: z.number() })

async function deadRows(app: string): Promise<z.infer<typeof DeadRow>[]> {
  return await engine.clickhouse.select(
    `SELECT offset, reason, if(isValidUTF8(payload), payload, hex(payload)) AS payload, length(payload)::UInt32 AS bytes FROM dead_requests
     WHERE source IN (SELECT source FROM requests WHERE app_id = {app:String}) ORDER BY offset`,
    DeadRow,
    { app },
  )
}

/** Invariant 1. */
test('every kind of bad line is a dead letter with its reason, its line number and its bytes, and the others are stored', async () => {
  const app = 'bad-lines'
  const lines: [string | Buffer, string | undefined][] = [
    [record(app), undefined],
    ['{"app_id":"cut', 'not_json'],
    ['', undefined],
    ['[1,2]', 'not_an_object'],
    [' \t\r', undefined],
    [record(app, { client_ip: undefined }), 'missing_field'],
    [record(app, { status_code: 'OK' }), 'wrong_type'],
    [record(app, { status_code: 700 }), 'out_of_range'],
    [record(app, { timestamp: '2026-02-30T00:00:00Z' }), 'bad_timestamp'],
    [record(app, { timestamp: 1_767_571_200 }), 'time_outside_span'],
    [record(app, { client_ip: 'localhost' }), 'bad_address'],
    [Buffer.from(record(`${app}é`), 'latin1'), 'not_utf8'],
    [record(`${app}\ud800`), 'not_utf8'],
    [Buffer.from(`{"app_id":"${app}\0"}`), 'not_json'],
    [Buffer.from([0, 1, 9, 13, 92, 255, 254]), 'not_utf8'],
    [record(app, { user_agent: '\t\n\\N\0"\'\u{1F600}', user_id: 'a\tb' }), undefined],
    [record(app).replaceAll(',', ',\r'), undefined],
    [`${record(app)}\r`, undefined],
  ]
  const path = await file(
    'bad.ndjson',
    Buffer.concat(lines.flatMap(([line]) => [Buffer.from(line), Buffer.from('\n')])),
  )
  const result = await ingest([path])
  const expected = lines.flatMap(([, reason], offset) => (reason === undefined ? [] : [{ offset, reason }]))
  expect(result).toMatchObject({ read: 16, stored: 4, dead: expected.length, duplicate: 0 })
  const rows = await deadRows(app)
  expect(rows.map(({ offset, reason }) => ({ offset, reason }))).toEqual(expected)
  expect(rows.find((row) => row.offset === 14)?.payload).toBe('0001090D5CFFFE')
  expect(rows.find((row) => row.offset === 1)?.payload).toBe('{"app_id":"cut')
  expect(result.problems.find((problem) => problem.reason === 'bad_address')).toMatchObject({ file: path, line: 11 })
  const stored = await engine.clickhouse.select(
    `SELECT user_agent, user_id FROM requests WHERE app_id = '${app}' AND user_id LIKE 'a%'`,
    z.object({ user_agent: z.string(), user_id: z.string() }),
  )
  expect(stored).toEqual([{ user_agent: '\t\n\\N\0"\'\u{1F600}', user_id: 'a\tb' }])
})

test('a byte order mark, CRLF line ends and a last line without its end are read', async () => {
  const path = await file(
    'mixed.ndjson',
    `\u{FEFF}${record('mixed', { a: 1 })}\r\n\r\n${record('mixed')}\n${record('mixed')}`,
  )
  const result = await ingest([path])
  expect(result).toMatchObject({ read: 3, stored: 3, dead: 0, problems: [] })
  expect(result.unknownFields).toEqual(new Map([['a', 1]]))
  expect(await ingest([path])).toMatchObject({ read: 3, stored: 0, duplicate: 3 })
})

/** Invariant 5. */
test('a line of 10 MB is a dead letter of 64 KiB, memory stays bounded, and the rest is read', async () => {
  const long = record('long-line', { user_agent: 'x'.repeat(10_000_000) })
  const path = await file(
    'long.ndjson',
    `${record('long-line')}\n${long}\n${long.slice(0, 1_500_000)}\n${record('long-line')}\n`,
  )
  const result = await ingest([path])
  expect(result).toMatchObject({ read: 4, stored: 2, dead: 2 })
  expect(result.deadByReason).toEqual(new Map([['record_too_long', 2]]))
  expect((await deadRows('long-line')).map(({ offset, bytes }) => [offset, bytes])).toEqual([
    [1, 65_536],
    [2, 65_536],
  ])
  expect(result.problems[0]).toMatchObject({ line: 2, message: expect.stringContaining(String(long.length)) })
})

test('a file that is read twice, renamed, copied or recompressed is counted once', async () => {
  const content = Buffer.from(numberedLines(0, 3000))
  const plain = await file('twice.ndjson', content)
  const copy = join(engine.directory, 'copy.ndjson')
  await copyFile(plain, copy)
  const gzip = await file('twice.gz', gzipSync(content))
  const zstd = await file('named.plain', zstdCompressSync(content))
  expect(await ingest([plain])).toMatchObject({ read: 3000, stored: 3000, duplicate: 0 })
  expect(await ingest([plain, copy, gzip, zstd])).toMatchObject({ read: 12_000, stored: 0, duplicate: 12_000 })
})

test('a file that is in as a whole is passed over without a single insert', async () => {
  const path = await file('whole.ndjson', numberedLines(4000, 4500))
  expect(await ingest([path])).toMatchObject({ stored: 500 })
  const insertBlock = async (): Promise<never> => await Promise.reject(new Error('nothing must be inserted'))
  const clickhouse = { ...engine.clickhouse, insertBlock }
  expect(await ingest([path], { clickhouse })).toMatchObject({ stored: 0, duplicate: 500, problems: [] })
})

test('of a file that has grown, only the new lines are stored, again and again', async () => {
  const limits = { rows: 100, bytes: 1e9 }
  const path = await file('grown.ndjson', numberedLines(10_000, 10_250))
  expect(await ingest([path], { limits })).toMatchObject({ stored: 250, duplicate: 0 })
  await appendFile(path, numberedLines(10_250, 10_275))
  expect(await ingest([path], { limits })).toMatchObject({ stored: 25, duplicate: 250 })
  await appendFile(path, numberedLines(10_275, 11_000))
  expect(await ingest([path], { limits })).toMatchObject({ stored: 725, duplicate: 275 })
  expect(await ingest([path], { limits })).toMatchObject({ stored: 0, duplicate: 1000 })
})

test('a file shorter than 1 KiB is recognised when it has grown beyond', async () => {
  const path = await file('short.ndjson', numberedLines(20_000, 20_002))
  expect(await ingest([path])).toMatchObject({ stored: 2, duplicate: 0 })
  await appendFile(path, numberedLines(20_002, 20_003))
  expect(await ingest([path])).toMatchObject({ stored: 1, duplicate: 2 })
  await appendFile(path, numberedLines(20_003, 20_100))
  expect(await ingest([path])).toMatchObject({ stored: 97, duplicate: 3 })
  await appendFile(path, numberedLines(20_100, 20_150))
  expect(await ingest([path])).toMatchObject({ stored: 50, duplicate: 100 })
})

test('a last line that is still being written is left alone and read when it is whole', async () => {
  const whole = numberedLines(30_000, 30_100)
  const path = await file('writing.ndjson', whole.slice(0, -20))
  const first = await ingest([path])
  expect(first).toMatchObject({ stored: 99, dead: 0 })
  expect(first.problems).toEqual([expect.objectContaining({ reason: 'unfinished_line', line: 100 })])
  await writeFile(path, whole)
  expect(await ingest([path])).toMatchObject({ stored: 1, duplicate: 99, problems: [] })
})

test('of a truncated gzip file what could be read is stored, the place is named, and the whole file gives the rest', async () => {
  const content = Buffer.from(numberedLines(40_000, 50_000))
  const whole = gzipSync(content)
  const path = await file('truncated.gz', whole.subarray(0, whole.length / 2))
  const cut = await ingest([path], { limits: { rows: 1000, bytes: 1e9 } })
  expect(cut.dead).toBe(0)
  expect(cut.stored).toBeGreaterThan(4000)
  expect(cut.problems).toEqual([expect.objectContaining({ reason: 'cut_off', file: path, line: cut.stored + 1 })])
  await writeFile(path, whole)
  expect(await ingest([path], { limits: { rows: 1000, bytes: 1e9 } })).toMatchObject({
    stored: 10_000 - cut.stored,
    duplicate: cut.stored,
    problems: [],
  })
})

test('several gzip members are one file', async () => {
  const path = await file(
    'members.gz',
    Buffer.concat([gzipSync(numberedLines(50_000, 50_050)), gzipSync(numberedLines(50_050, 50_100))]),
  )
  expect(await ingest([path])).toMatchObject({ stored: 100 })
})

test('standard input is read as a file is', async () => {
  expect(await ingest(['-'], { stdin: streamOf(numberedLines(60_000, 60_100)) })).toMatchObject({ stored: 100 })
  expect(await ingest(['-'], { stdin: streamOf(numberedLines(60_000, 60_100)) })).toMatchObject({
    stored: 0,
    duplicate: 100,
  })
})

test('an empty file is a message, blank lines are nothing', async () => {
  const empty = await file('empty.ndjson', '')
  const blank = await file('blank.ndjson', '\n\n \n')
  const result = await ingest([empty, blank])
  expect(result).toMatchObject({ read: 0, stored: 0 })
  expect(result.problems).toEqual([{ reason: 'empty', file: empty, message: 'the file is empty' }])
})

test('what cannot be read is a usage error that says so, before anything is stored', async () => {
  const good = await file('good.ndjson', numberedLines(70_000, 70_010))
  const folder = join(engine.directory, 'folder')
  await mkdir(folder)
  const utf16 = await file('utf16.ndjson', Buffer.from('\ufeff{"app_id":"a"}', 'utf16le'))
  const cases = [
    [join(engine.directory, 'missing.ndjson'), 'no such file'],
    [folder, 'directory'],
    [join(good, 'below'), 'no such file'],
  ] as const
  for (const [path, words] of cases) {
    const failed = ingest([good, path])
    await expect(failed).rejects.toThrow(SidestepError)
    await expect(failed).rejects.toMatchObject({ kind: 'usage', message: expect.stringContaining(words) })
  }
  await expect(ingest([utf16])).rejects.toMatchObject({ kind: 'usage', message: expect.stringContaining('UTF-16') })
  expect(await ingest([good])).toMatchObject({ stored: 10 })
})

test('a stop keeps what is stored, and the next run brings the rest', async () => {
  const path = await file('stopped.ndjson', numberedLines(80_000, 90_000))
  const limits = { rows: 500, bytes: 1e9 }
  const stop = new AbortController()
  const stopped = await ingest([path], {
    limits,
    signal: stop.signal,
    onProgress: ({ records }) => records >= 2000 && stop.abort(),
  })
  expect(stopped.interrupted).toBe(true)
  expect(stopped.stored).toBeGreaterThanOrEqual(2000)
  expect(stopped.stored).toBeLessThan(10_000)
  expect(await ingest([path], { limits })).toMatchObject({
    stored: 10_000 - stopped.stored,
    duplicate: stopped.stored,
    interrupted: false,
  })
})

test('a stop while standard input is silent returns at once', async () => {
  const stop = new AbortController()
  async function* silent(): AsyncGenerator<Buffer> {
    yield Buffer.from(numberedLines(91_000, 91_100))
    stop.abort()
    await new Promise(() => undefined)
  }
  expect(await ingest(['-'], { stdin: silent(), signal: stop.signal })).toMatchObject({ interrupted: true })
})

test('the order of the fields of a file does not matter, nor does its name', async () => {
  const path = await file('no extension', numberedLines(95_000, 95_010))
  expect(await ingest([path])).toMatchObject({ stored: 10 })
  expect((await readFile(path)).length).toBeGreaterThan(0)
})
