import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { SidestepError } from '#lib/errors.ts'
import { migrate, readMigrations, splitStatements } from '#lib/migrate.ts'
import { openEngine, type Engine } from '../support/analyzer-engine.ts'

let engine: Engine
beforeAll(async () => {
  engine = await openEngine()
})
afterAll(async () => {
  await engine.close()
})

const Name = z.object({ name: z.string() })

/** The definition of every table and view, but for the one that keeps what was applied. */
async function schema(database = 'default'): Promise<unknown> {
  const sql = `SELECT name, replaceAll(create_table_query, concat(database, '.'), '') AS definition FROM system.tables
    WHERE database = {database:String} AND name != 'schema_migrations' ORDER BY name`
  return await engine.clickhouse.select(sql, Name.extend({ definition: z.string() }), { database })
}

/** Replaces what is known of applied migrations. */
async function pretendApplied(rows: readonly { name: string; checksum: string }[]): Promise<void> {
  await engine.clickhouse.command('TRUNCATE TABLE schema_migrations')
  for (const { name, checksum } of rows) {
    await engine.clickhouse.command(`INSERT INTO schema_migrations (name, checksum) SELECT '${name}', '${checksum}'`)
  }
}

describe('the migrations', () => {
  it('are numbered without gaps and applied in that order', async () => {
    const names = (await readMigrations()).map(({ name }) => name)
    expect(names.map((name) => name.slice(0, 4))).toEqual(names.map((_, i) => `${String(i + 1).padStart(3, '0')}_`))
    const applied = await engine.clickhouse.select('SELECT name FROM schema_migrations ORDER BY name', Name)
    expect(applied.map(({ name }) => name)).toEqual(names)
  })

  it('are applied once: a second run does nothing', async () => {
    expect(await migrate(engine.clickhouse)).toEqual([])
  })

  it('may be cut off anywhere: each statement can run again and changes nothing', async () => {
    const before = await schema()
    await engine.clickhouse.command(`DROP DATABASE IF EXISTS replayed`)
    await engine.clickhouse.command(`CREATE DATABASE replayed`)
    await engine.clickhouse.command(`USE replayed`)
    for (const { statements } of await readMigrations()) {
      for (const statement of statements) {
        await engine.clickhouse.command(statement)
        await engine.clickhouse.command(statement)
      }
    }
    const replayed = await schema('replayed')
    await engine.clickhouse.command(`USE default`)
    expect(replayed).toEqual(before)
  })

  it('that were cut off run again as a whole', async () => {
    const migrations = await readMigrations()
    const before = await schema()
    await pretendApplied(migrations.slice(0, -1))
    expect(await migrate(engine.clickhouse)).toEqual(migrations.slice(-1).map(({ name }) => name))
    expect(await schema()).toEqual(before)
  })

  it('that were edited after they had been applied are refused, by name, and nothing is applied after them', async () => {
    const migrations = await readMigrations()
    const [first, ...others] = migrations
    await pretendApplied([{ name: first?.name ?? '', checksum: 'of another text' }])
    await expect(migrate(engine.clickhouse)).rejects.toThrow(SidestepError)
    await expect(migrate(engine.clickhouse)).rejects.toThrow(`${first?.name} was changed after it had been applied`)
    expect(await engine.clickhouse.select('SELECT name FROM schema_migrations', Name)).toHaveLength(1)
    await pretendApplied([...(first === undefined ? [] : [first]), ...others])
    expect(await migrate(engine.clickhouse)).toEqual([])
  })
})

describe('the schema', () => {
  it('says of every table and every column what it holds', async () => {
    const isTable = `database = currentDatabase() AND engine != 'MaterializedView'`
    const tables = await engine.clickhouse.select(
      `SELECT name FROM system.tables WHERE ${isTable} AND comment = '' ORDER BY name`,
      Name,
    )
    const columns = await engine.clickhouse.select(
      `SELECT concat(table, '.', name) AS name FROM system.columns
       WHERE database = currentDatabase() AND comment = '' AND table IN (SELECT name FROM system.tables WHERE ${isTable})
       ORDER BY name`,
      Name,
    )
    expect([...tables, ...columns].map(({ name }) => name)).toEqual([])
  })
})

describe('splitting a file into statements', () => {
  it('cuts at semicolons that end a line, and drops what is only comment', () => {
    expect(splitStatements("-- a\nSELECT ';' AS x;\n-- b; not the end\nSELECT 2; \n-- only a comment\n")).toEqual([
      "-- a\nSELECT ';' AS x",
      '-- b; not the end\nSELECT 2',
    ])
  })
})
