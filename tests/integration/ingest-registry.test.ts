/** The app registry from files into the real engine. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'

import { ingestFiles } from '../../services/ingest/files/ingest-files.ts'
import { loadRegistry, unregisteredApps, type RegistryResult } from '../../services/ingest/registry/file.ts'
import { DECODE, FULL_RECORD } from '../../rig/requests.ts'
import { openTemporaryEngine, type TemporaryEngine } from '../support/temporary-engine.ts'

let engine: TemporaryEngine
let version = 1_800_000_000_000
beforeAll(async () => {
  engine = await openTemporaryEngine()
})
beforeEach(async () => await engine.clickhouse.command('TRUNCATE TABLE apps'))
afterAll(async () => await engine.remove())

function app(id: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { app_id: id, owner_id: 'o-1', name: `App ${id}`, created_at: '2025-01-31T10:00:00Z', ...more }
}

async function load(content: string | Buffer, name = 'apps'): Promise<RegistryResult> {
  const file = join(engine.directory, name)
  await writeFile(file, content)
  version += 1
  return await loadRegistry({ clickhouse: engine.clickhouse, file, version })
}

const AppRow = z.looseObject({ app_id: z.string(), name: z.string() })

async function apps(): Promise<z.infer<typeof AppRow>[]> {
  return await engine.clickhouse.select(
    'SELECT * EXCEPT (version, deleted, created_at), toUnixTimestamp64Milli(created_at)::Float64 AS created_ms FROM apps FINAL ORDER BY app_id',
    AppRow,
  )
}

const FULL_APP = app('full', {
  name: 'Tab\there "and" \\ \u{1F600}',
  description: "it's\nlong",
  website: 'https://example.com',
  callback_urls: ["https://example.com/a?b='c'", 'x:\\y', 'tab\tone'],
  tier: 'free',
  status: 'active',
  limits: { '/2/users/:id': 900, '/2/users/12345678/tweets': 15, "o'hara \\": 1 },
})

test('every field of an app arrives as it was, routes spelled as in requests', async () => {
  expect(await load(JSON.stringify(FULL_APP))).toEqual({ apps: 1, rejected: 0, adjusted: 0, problems: [] })
  const { created_at: _, app_id, ...fields } = FULL_APP
  expect(await apps()).toEqual([
    {
      ...fields,
      app_id,
      created_ms: Date.UTC(2025, 0, 31, 10),
      limits: { '/2/users/:id': 900, '/2/users/:id/tweets': 15, "o'hara \\": 1 },
    },
  ])
})

const three = [app('a'), app('b', { description: null }), app('c', { created_at: 1_700_000_000_000 })]
const ndjson = three.map((entry) => JSON.stringify(entry)).join('\r\n')

test.each<[string, string | Buffer]>([
  ['one object a line', ndjson],
  ['with a byte order mark', `\u{FEFF}${ndjson}\n`],
  ['an array', JSON.stringify(three)],
  ['an array over many lines', `\n ${JSON.stringify(three, null, 2)}\n`],
  ['gzip', gzipSync(ndjson)],
  ['zstd, an array', zstdCompressSync(JSON.stringify(three))],
])('a registry as %s is loaded', async (_, content) => {
  expect(await load(content)).toEqual({ apps: 3, rejected: 0, adjusted: 0, problems: [] })
  expect((await apps()).map((row) => row.app_id)).toEqual(['a', 'b', 'c'])
})

test('bad entries are named with their line, and the others are loaded', async () => {
  const lines = [
    JSON.stringify(app('good')),
    '{"app_id":"cut',
    JSON.stringify(app('x', { owner_id: undefined })),
    '',
    JSON.stringify(app('y', { created_at: '2025-02-30T00:00:00Z' })),
    JSON.stringify(app('z', { limits: { '/x': -1 } })),
    '[]',
  ]
  const result = await load(lines.join('\n'), 'bad.ndjson')
  expect(result).toMatchObject({ apps: 2, rejected: 4, adjusted: 1 })
  expect(result.problems.map((problem) => [problem.line, problem.message.split(' ')[0]])).toEqual([
    [2, 'not'],
    [3, 'owner_id'],
    [5, 'created_at'],
    [6, 'limits:'],
    [7, 'not'],
  ])
})

test('bad entries of an array are named with the line that they start on', async () => {
  const text = `[\n${JSON.stringify(app('a'), null, 1)},\n\n  {"app_id": "b, \\"]"},\n ${JSON.stringify(app('c'))}]`
  const result = await load(text)
  expect(result).toMatchObject({ apps: 2, rejected: 1 })
  expect(result.problems[0]?.line).toBe(text.slice(0, text.indexOf('"b, ')).split('\n').length)
})

test('of an app that is listed twice the last entry counts, and both lines are named', async () => {
  const entries = [app('twice', { name: 'first' }), app('once'), app('twice', { name: 'last' })]
  const result = await load(entries.map((entry) => JSON.stringify(entry)).join('\n'))
  expect(result.problems).toEqual([expect.objectContaining({ line: 3, message: expect.stringContaining('line 1') })])
  expect((await apps()).map((row) => row.name)).toEqual(['App once', 'last'])
})

test('a registry that is loaded later overrules the one before', async () => {
  await load(JSON.stringify(app('a', { name: 'old' })))
  await load(JSON.stringify(app('a', { name: 'new' })))
  expect((await apps()).map((row) => row.name)).toEqual(['new'])
})

test.each<[string, string | Buffer, string]>([
  ['empty', '', 'empty'],
  ['an empty array', '[]', 'empty'],
  ['an array that does not end', '[{"app_id":"a"}', 'does not end'],
  ['truncated', gzipSync(ndjson).subarray(0, 40), 'truncated'],
  ['of other things', '{"a":1}\n', 'app_id'],
])('a registry that is %s is a usage error', async (_, content, words) => {
  await expect(load(content)).rejects.toMatchObject({ kind: 'usage', message: expect.stringContaining(words) })
})

test('a registry that is missing is a usage error', async () => {
  const file = join(engine.directory, 'nothing')
  const missing = loadRegistry({ clickhouse: engine.clickhouse, file, version: 1 })
  await expect(missing).rejects.toMatchObject({ kind: 'usage', message: expect.stringContaining('no such file') })
})

test('apps that send requests but are not registered are counted, the busiest named first', async () => {
  const file = join(engine.directory, 'requests.ndjson')
  const ids = ['known', 'busy', 'busy', 'quiet']
  await writeFile(file, ids.map((app_id) => `${JSON.stringify({ ...FULL_RECORD, app_id })}\n`).join(''))
  await ingestFiles({ clickhouse: engine.clickhouse, files: [file], decode: DECODE })
  await load(JSON.stringify(app('known')))
  expect(await unregisteredApps(engine.clickhouse)).toEqual({ apps: 2, requests: 3, examples: ['busy', 'quiet'] })
})
