import { glob, readdir, readFile } from 'node:fs/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { sqlText } from '#lib/sql-query.ts'
import { runCycle } from '../../services/analyzer/cycles.ts'
import { TUNING } from '../../services/analyzer/tuning.ts'
import { dateTimeParam } from '../../services/analyzer/run/window.ts'
import { openEngine, type Engine } from '../support/analyzer-engine.ts'
import { platform, RING } from '../support/analyzer-ring.ts'
import { store, WINDOW, type Burst } from '../support/analyzer-traffic.ts'

const RUN = 'run'
const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const QueryValue = z.object({ name: z.string(), params: z.instanceof(z.ZodType), row: z.instanceof(z.ZodType) })
type QueryValue = z.infer<typeof QueryValue>

const files = (await readdir(`${ROOT}sql/queries`, { recursive: true }))
  .filter((name) => name.endsWith('.sql'))
  .map((name) => name.replace(/\.sql$/, ''))
  .toSorted()
const sources: { path: string; text: string }[] = []
for await (const path of glob('{services,cli,lib,evaluate}/**/*.ts', { cwd: ROOT })) {
  sources.push({ path, text: await readFile(`${ROOT}${path}`, 'utf8') })
}

/** Every exported query value: a text, its parameters and its rows. */
const queries: QueryValue[] = []
for (const { path } of sources.filter(({ text }) => /^export const \w+Query\b/m.test(text))) {
  const exported: unknown = await import(pathToFileURL(`${ROOT}${path}`).href)
  for (const [name, value] of Object.entries(z.record(z.string(), z.unknown()).parse(exported))) {
    if (name.endsWith('Query')) queries.push(QueryValue.parse(value))
  }
}

const placeholders = (sql: string): Map<string, string> =>
  new Map([...sql.matchAll(/\{(\w+):([^{}]+)\}/g)].map(([, name = '', type = '']) => [name, type]))

const byType = (type: string): unknown => (type.startsWith('Array') ? [] : type === 'String' ? '' : 0)

/** Values for the placeholders of a query that fit the small platform below. */
function sample(sql: string): Record<string, unknown> {
  const known: Readonly<Record<string, unknown>> = {
    run_id: RUN,
    apps: [...RING],
    apps_a: RING.slice(0, -1),
    apps_b: RING.slice(1),
    'from:DateTime': dateTimeParam(WINDOW.fromMs),
    'to:DateTime': dateTimeParam(WINDOW.toMs),
    kept_from: dateTimeParam(WINDOW.fromMs),
    empty_words: TUNING.patterns.emptyWords,
    empty_domains: TUNING.patterns.emptyDomains,
    hosting_suffixes: TUNING.patterns.hostingSuffixes,
    clusters: RING.map(() => 0),
    not_production: RING.map(() => 0),
    offset_seconds: RING.map(() => 0),
    seconds: 900,
    window_seconds: RING.map(() => 900),
    slot_seconds: 900,
    sources: ['fixture'],
    partition: 0,
  }
  return Object.fromEntries(
    [...placeholders(sql)].map(([name, type]) => [
      name,
      known[name] ?? known[`${name}:${type.replace(/\(.*/, '')}`] ?? byType(type),
    ]),
  )
}

const JsonSchema = z.object({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  anyOf: z.array(z.unknown()).optional(),
  items: z.unknown().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
})

/** Whether a value of a ClickHouse type, as JSON, always is what the JSON schema asks for. */
function fits(type: string, schema: unknown): boolean {
  const { type: json, anyOf, items } = JsonSchema.parse(schema)
  const inner = /^(\w+)\((.*)\)$/.exec(type)
  const [, outer = '', argument = ''] = inner ?? []
  if (outer === 'LowCardinality') return fits(argument, schema)
  if (outer === 'SimpleAggregateFunction') return fits(argument.replace(/^\w+, /, ''), schema)
  const options = Array.isArray(json) ? json.map((name) => ({ type: name })) : anyOf
  if (json === undefined && options === undefined) return true
  if (outer === 'Nullable') {
    return options?.some((option) => JsonSchema.parse(option).type === 'null') === true && fits(argument, schema)
  }
  if (options !== undefined) return options.some((option) => fits(type, option))
  if (outer === 'Array') return json === 'array' && fits(argument, items)
  if (/^U?Int\d+$/.test(type)) return json === 'number' || json === 'integer'
  if (/^Float\d+$/.test(type)) return json === 'number'
  return json === 'string' && /^(String|IPv6|Date|DateTime|Enum)/.test(type)
}

const Column = z.object({ name: z.string(), type: z.string() })

let engine: Engine
beforeAll(async () => {
  engine = await openEngine()
})
afterAll(async () => {
  await engine.close()
})

describe('every query file', () => {
  it.each(files)('%s says its question, what it serves and where it misleads', (name) => {
    const header = sqlText(name)
      .split('\n')
      .filter((line) => line.startsWith('--'))
    expect(sqlText(name).startsWith('-- Question: ')).toBe(true)
    expect(header.some((line) => /^-- Serves: +\S/.test(line))).toBe(true)
    expect(header.some((line) => /^-- False positive: \S/.test(line))).toBe(true)
  })

  it('is used by some query value, and no query value lacks its file', () => {
    const used = new Set(
      sources.flatMap(({ text }) =>
        [...text.matchAll(/'([a-z]+\/[a-z0-9]+(?:-[a-z0-9]+)*)'/g)].map(([, name]) => name),
      ),
    )
    const dynamic = sources.flatMap(({ text }) =>
      [...text.matchAll(/name: `([a-z/-]+)\$\{/g)].map(([, prefix = '']) => prefix),
    )
    const unused = files.filter((name) => !used.has(name) && !dynamic.some((prefix) => name.startsWith(prefix)))
    expect(unused).toEqual([])
    expect(queries.map(({ name }) => name).filter((name) => !files.includes(name))).toEqual([])
    expect(queries.length).toBeGreaterThan(15)
  })

  it('of ingest is checked below, unless it gives no rows', () => {
    const checked = new Set(queries.map(({ name }) => name))
    const reads = files.filter((name) => name.startsWith('ingest/') && !/^(DELETE|INSERT)\b/m.test(sqlText(name)))
    expect(reads.filter((name) => !checked.has(name))).toEqual([])
  })

  it('that limits its rows says which come first', () => {
    const unordered = files.filter(
      (name) => /^\s*LIMIT(?! 1 BY)/m.test(sqlText(name)) && !/ORDER BY/.test(sqlText(name)),
    )
    expect(unordered).toEqual([])
  })
})

describe.each(queries)('the query $name', ({ name, params, row }) => {
  it('takes the parameters that its text has', () => {
    const shape = JsonSchema.parse(z.toJSONSchema(params, { io: 'input' })).properties ?? {}
    expect([...placeholders(sqlText(name)).keys()].toSorted()).toEqual(Object.keys(shape).toSorted())
    expect(() => params.parse(sample(sqlText(name)))).not.toThrow()
  })

  it('gives the columns and types that its row has', async () => {
    const sql = sqlText(name)
    const columns = await engine.clickhouse.select(`DESCRIBE (\n${sql}\n)`, Column, sample(sql))
    const shape = JsonSchema.parse(z.toJSONSchema(row, { io: 'input', unrepresentable: 'any' })).properties ?? {}
    expect(columns.map((column) => column.name).toSorted()).toEqual(Object.keys(shape).toSorted())
    expect(columns.filter((column) => !fits(column.type, shape[column.name]))).toEqual([])
  })

  it('gives rows that fit on an empty database', async () => {
    const rows = await engine.clickhouse.query({ name, params, row }, sample(sqlText(name)))
    expect(rows.length).toBeLessThanOrEqual(1)
  })
})

describe('on a small platform', () => {
  beforeAll(async () => {
    // A crowd behind one address makes the one network that many pass through.
    const crowd = platform(1).apps.map(({ app }, i): Burst => ({
      app,
      network: '198.51.100.1',
      requests: 2,
      user: `u-${i % 40}`,
    }))
    await store(engine.clickhouse, platform(1))
    await store(engine.clickhouse, { bursts: crowd, apps: [] }, 'crowd')
    await runCycle({ clickhouse: engine.clickhouse, window: WINDOW, tuning: TUNING, runId: RUN, nowMs: WINDOW.toMs })
  })

  it.each(queries.filter(({ name }) => !/^(ingest|hours\/differences|run\/old-runs)/.test(name)))(
    '$name gives rows that fit',
    async (query) => {
      const rows = await engine.clickhouse.query(query, sample(sqlText(query.name)))
      expect(rows.length).toBeGreaterThan(0)
    },
  )

  it('a row that does not fit is an error with the name of the query, not a wrong number', async () => {
    const row = z.object({ minutes: z.string() })
    await expect(
      engine.clickhouse.query({ name: 'run/analysis-window', params: z.object({}), row }, {}),
    ).rejects.toThrow('query run/analysis-window')
  })
})
