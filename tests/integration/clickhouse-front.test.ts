/** The stand-in for a ClickHouse server behaves as the embedded engine does, error codes included, and survives what tests do to it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@clickhouse/client'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { openClickHouse, type ClickHouse } from '#lib/clickhouse.ts'
import { engineErrorCode, insertErrorKind } from '#lib/engine-error.ts'
import { migrate } from '#lib/migrate.ts'
import { startClickHouseFront } from '../../rig/clickhouse/front-process.ts'
import type { ClickHouseServer } from '../../rig/clickhouse/server.ts'
import { startFaultProxy, type Fault } from '../../rig/faults/proxy.ts'

const AnyRow = z.record(z.string(), z.unknown())
const Count = z.object({ n: z.coerce.number() })

let dir = ''
let front: ClickHouseServer
let server: ClickHouse
let embedded: ClickHouse

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sidestep-front-'))
  front = await startClickHouseFront({ dataDir: join(dir, 'server') })
  server = await openClickHouse({ url: front.url, dataDir: '' })
  embedded = await openClickHouse({ dataDir: join(dir, 'embedded') })
})

afterAll(async () => {
  await server.close()
  await embedded.close()
  await front.stop()
  await rm(dir, { recursive: true, force: true })
})

/** A table that keeps its deduplication window, as ours do. */
async function createTable(clickhouse: ClickHouse, name: string): Promise<void> {
  await clickhouse.command(
    `CREATE TABLE ${name} (n UInt32, text String) ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 1000`,
  )
}

async function countRows(clickhouse: ClickHouse, table: string): Promise<number> {
  const [row] = await clickhouse.select(`SELECT count() AS n FROM ${table}`, Count)
  return row?.n ?? -1
}

function block(table: string, rows: number, token: string) {
  const text = Array.from({ length: rows }, (_, n) => `${n}\tline\\t${n} \\\\ é\n`).join('')
  return { table, columns: ['n', 'text'], body: Buffer.from(text), token }
}

/** The error that `action` rejects with. */
async function rejection(action: Promise<unknown>): Promise<unknown> {
  return await action.then(
    () => {
      throw new Error('it worked, and should not have')
    },
    (error: unknown) => error,
  )
}

describe('parity with the embedded engine', () => {
  test('the migrations run, once', async () => {
    const applied = await migrate(server)
    expect(applied.length).toBeGreaterThan(0)
    expect(applied).toStrictEqual(await migrate(embedded))
    expect(await migrate(server)).toStrictEqual([])
    const tables = 'SELECT name, engine FROM system.tables WHERE database = currentDatabase() ORDER BY name'
    expect(await server.select(tables, AnyRow)).toStrictEqual(await embedded.select(tables, AnyRow))
  })

  const awkward = 'tab\t newline\n quote\' double" back\\slash \\t \\N {x:String} é \u{1F600}'
  test.each<[sql: string, params: Record<string, unknown>]>([
    ['SELECT 1 AS a, toUInt64(18446744073709551615) AS b, NULL AS c, [1, 2] AS d', {}],
    ['SELECT {x:String} AS x, length({x:String}) AS bytes', { x: awkward }],
    ['SELECT {x:Array(String)} AS x, length(x) AS items', { x: ['a', awkward, ''] }],
    ['SELECT {x:UInt64} AS x', { x: '18446744073709551615' }],
    ['SELECT {x:Nullable(String)} AS x', { x: null }],
    ["SELECT toString({x:DateTime('UTC')}) AS x", { x: '2026-01-02 03:04:05' }],
    ['SELECT number AS n FROM numbers({limit:UInt32}) ORDER BY n', { limit: 3 }],
    ['SELECT count() AS n FROM {t:Identifier}', { t: 'landing' }],
    ["SELECT 1 AS one SETTINGS max_threads = 1, log_comment = 'x'", {}],
  ])('%s', async (sql, params) => {
    expect(await server.select(sql, AnyRow, params)).toStrictEqual(await embedded.select(sql, AnyRow, params))
  })

  test.each<[sql: string, code: number]>([
    ['SELECT * FROM no_such_table', 60],
    ['SELECT * FROM no_such_database.t', 81],
    ['SELECT no_such_column FROM system.one', 47],
    ['SELECT no_such_function(1)', 46],
    ['SELEC 1', 62],
    ['SELECT 1 SETTINGS no_such_setting = 1', 115],
    ["SELECT throwIf(1, 'on purpose')", 395],
    ['SELECT {x:UInt8}', 456],
    ["SELECT toUInt8('x')", 6],
    ['SELECT sleep(2) SETTINGS max_execution_time = 0.05', 159],
    ['SELECT groupArray(number) FROM numbers(100000000) SETTINGS max_memory_usage = 1000000', 241],
  ])('%s is error %i', async (sql, code) => {
    expect(engineErrorCode(await rejection(server.select(sql, AnyRow)))).toBe(code)
    expect(engineErrorCode(await rejection(embedded.select(sql, AnyRow)))).toBe(code)
  })

  test('a block of rows that do not fit is refused whole, as data', async () => {
    for (const clickhouse of [server, embedded]) {
      await createTable(clickhouse, 'unfit')
      const body = Buffer.from('1\tgood\nnot a number\tbad\n')
      const error = await rejection(clickhouse.insertBlock({ ...block('unfit', 0, 'u'), body }))
      expect(insertErrorKind(error)).toBe('data')
      expect(await countRows(clickhouse, 'unfit')).toBe(0)
    }
  })

  test('a replayed block is counted once, and its token does not outlive it', async () => {
    for (const clickhouse of [server, embedded]) {
      await createTable(clickhouse, 'replayed')
      await clickhouse.insertBlock(block('replayed', 70_000, 'topic/0/0-70000'))
      await clickhouse.insertBlock(block('replayed', 70_000, 'topic/0/0-70000'))
      expect(await countRows(clickhouse, 'replayed')).toBe(70_000)
      await clickhouse.insertBlock(block('replayed', 70_000, 'topic/0/70000-140000'))
      expect(await countRows(clickhouse, 'replayed')).toBe(140_000)
      await clickhouse.command("INSERT INTO replayed SELECT 1, 'x' SETTINGS insert_deduplicate = 0")
      expect(await countRows(clickhouse, 'replayed')).toBe(140_001)
    }
    const sample = 'SELECT n, text FROM replayed WHERE n % 10007 = 3 ORDER BY n, text'
    expect(await server.select(sample, AnyRow)).toStrictEqual(await embedded.select(sample, AnyRow))
  })
})

describe('the HTTP interface', () => {
  test('packed bodies both ways, a stream of JSON rows, the summary, settings that end with their request', async () => {
    const client = createClient({ url: front.url, compression: { request: true, response: true } })
    onTestFinished(async () => {
      await client.close()
    })
    expect(await client.ping()).toStrictEqual({ success: true })
    await client.command({ query: 'CREATE TABLE packed (n UInt32, text String) ENGINE = MergeTree ORDER BY n' })
    const values = Array.from({ length: 1_000 }, (_, n) => ({ n, text: `row ${n}` }))
    const inserted = await client.insert({ table: 'packed', values, format: 'JSONEachRow' })
    expect(inserted.summary?.written_rows).toBe('1000')
    const settings = await client.query({
      query: "SELECT getSetting('max_threads') AS n",
      format: 'JSONEachRow',
      clickhouse_settings: { max_threads: 7 },
    })
    expect(await settings.json()).toStrictEqual([{ n: 7 }])
    const later = await client.query({ query: "SELECT getSetting('max_threads') AS n", format: 'JSONEachRow' })
    expect(await later.json()).not.toStrictEqual([{ n: 7 }])
    const rows = await client.query({ query: 'SELECT n, text FROM packed ORDER BY n', format: 'JSONEachRow' })
    expect(await rows.json()).toStrictEqual(values)
  })

  test('a wrong password is error 516, and the right one works', async () => {
    const dataDir = join(dir, 'guarded')
    const guarded = await startClickHouseFront({ dataDir, password: 'right' })
    onTestFinished(async () => {
      await guarded.stop()
    })
    const right = await openClickHouse({ url: guarded.url.replace('http://', 'http://default:right@'), dataDir: '' })
    expect(await right.select('SELECT 1 AS n', Count)).toStrictEqual([{ n: 1 }])
    await right.close()
    await expect(openClickHouse({ url: guarded.url, dataDir: '' })).rejects.toThrow('Authentication failed')
  })
})

test('what was acknowledged is there after kill -9, and the gap between is told as passing', async () => {
  const killed = await startClickHouseFront({ dataDir: join(dir, 'killed') })
  const clickhouse = await openClickHouse({ url: killed.url, dataDir: '' })
  onTestFinished(async () => {
    await clickhouse.close()
    await killed.stop()
  })
  await createTable(clickhouse, 'kept')
  for (let n = 0; n < 3; n++) await clickhouse.insertBlock(block('kept', 1_000, `kept/${n}`))
  await killed.kill()
  expect(insertErrorKind(await rejection(clickhouse.insertBlock(block('kept', 1_000, 'kept/3'))))).toBe('passing')
  await killed.start()
  expect(await countRows(clickhouse, 'kept')).toBe(3_000)
  // The window of tokens has survived too.
  await clickhouse.insertBlock(block('kept', 1_000, 'kept/2'))
  expect(await countRows(clickhouse, 'kept')).toBe(3_000)
})

describe('the fault proxy', () => {
  const hold = Promise.withResolvers<undefined>()
  test.each<[name: string, fault: Fault, kind: string, applied: boolean]>([
    ['a request cut half-way', { kind: 'cut-request' }, 'passing', false],
    ['an answer cut before its head', { kind: 'cut-response', at: 'head' }, 'passing', true],
    ['159 instead of the insert', { kind: 'error', code: 159, when: 'before' }, 'passing', false],
    ['159 after the insert', { kind: 'error', code: 159, when: 'after' }, 'passing', true],
    ['209 after the insert', { kind: 'error', code: 209, when: 'after' }, 'passing', true],
    ['210 after the insert', { kind: 'error', code: 210, when: 'after' }, 'passing', true],
    ['241 instead of the insert', { kind: 'error', code: 241, when: 'before' }, 'passing', false],
    ['252 instead of the insert', { kind: 'error', code: 252, when: 'before' }, 'passing', false],
  ])('%s: the insert fails, and its replay is counted once', async (name, fault, kind, applied) => {
    const proxy = await startFaultProxy(front.url)
    const clickhouse = await openClickHouse({ url: proxy.url, dataDir: '' })
    onTestFinished(async () => {
      await clickhouse.close()
      await proxy.close()
    })
    const table = name.replaceAll(/\W/g, '_')
    await createTable(server, `\`${table}\``)
    proxy.decide(() => fault)
    expect(insertErrorKind(await rejection(clickhouse.insertBlock(block(table, 50_000, name))))).toBe(kind)
    expect(proxy.seen.at(-1)?.sql).toMatch(/^INSERT INTO/)
    expect(await countRows(server, `\`${table}\``)).toBe(applied ? 50_000 : 0)
    proxy.decide(() => undefined)
    await clickhouse.insertBlock(block(table, 50_000, name))
    expect(await countRows(server, `\`${table}\``)).toBe(50_000)
  })

  test('a held insert goes on when it is let go; refused connections are passing; rows cut in an answer are an error', async () => {
    const proxy = await startFaultProxy(front.url)
    const clickhouse = await openClickHouse({ url: proxy.url, dataDir: '' })
    onTestFinished(async () => {
      await clickhouse.close()
      await proxy.close()
    })
    await createTable(server, 'held')
    proxy.decide(() => ({ kind: 'hold', until: hold.promise, when: 'after' }))
    const insert = clickhouse.insertBlock(block('held', 10, 'held'))
    await expect.poll(async () => await countRows(server, 'held')).toBe(10)
    hold.resolve(undefined)
    await insert
    proxy.decide(() => ({ kind: 'cut-response', at: 'body' }))
    await expect(clickhouse.select('SELECT n FROM held', AnyRow)).rejects.toThrow(/aborted|closed|hang up|terminated/i)
    await proxy.refuse()
    expect(insertErrorKind(await rejection(clickhouse.insertBlock(block('held', 1, 'refused'))))).toBe('passing')
    proxy.decide(() => undefined)
    await proxy.accept()
    expect(await countRows(clickhouse, 'held')).toBe(10)
  })
})
