/**
 * Forward-only migrations: the files of sql/migrations in order of their number, each applied once, on a server and on the
 * embedded engine by the same code.
 *
 * Every statement is idempotent (IF NOT EXISTS), because ClickHouse has no transactional DDL: a migration that was cut off
 * half-way runs again from its first statement. A file that has been applied is never edited: its checksum is kept and compared.
 */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { z } from 'zod'
import type { ClickHouse } from './clickhouse.ts'
import { SidestepError } from './errors.ts'

const MIGRATIONS = new URL('../sql/migrations/', import.meta.url)

export interface Migration {
  readonly name: string
  readonly statements: readonly string[]
  /** SHA-256 of the file, hexadecimal. */
  readonly checksum: string
}

/** Statements end with a semicolon at the end of a line; no comment line may end with one. */
export function splitStatements(text: string): string[] {
  return text
    .split(/;[ \t]*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement.split('\n').some((line) => line.trim() !== '' && !line.trim().startsWith('--')))
}

export async function readMigrations(): Promise<Migration[]> {
  const names = (await readdir(MIGRATIONS)).filter((name) => name.endsWith('.sql')).toSorted()
  return await Promise.all(
    names.map(async (name) => {
      const text = await readFile(new URL(name, MIGRATIONS), 'utf8')
      return { name, statements: splitStatements(text), checksum: createHash('sha256').update(text).digest('hex') }
    }),
  )
}

const AppliedRow = z.object({ name: z.string(), checksum: z.string() })

/** Brings the database to the current schema; returns the names of the migrations it applied. */
export async function migrate(clickhouse: ClickHouse): Promise<string[]> {
  await clickhouse.command(
    `CREATE TABLE IF NOT EXISTS schema_migrations
     (name String COMMENT 'File name', checksum String COMMENT 'SHA-256 of the file', applied_at DateTime('UTC') DEFAULT now() COMMENT 'When it was applied')
     ENGINE = MergeTree ORDER BY name COMMENT 'Which migrations have been applied'`,
  )
  const applied = new Map(
    (await clickhouse.select('SELECT name, checksum FROM schema_migrations ORDER BY name', AppliedRow)).map((row) => [
      row.name,
      row.checksum,
    ]),
  )
  const done: string[] = []
  for (const migration of await readMigrations()) {
    const known = applied.get(migration.name)
    if (known === migration.checksum) continue
    if (known !== undefined) {
      throw new SidestepError(
        'failure',
        `migration ${migration.name} was changed after it had been applied. Restore the file and put the change into a new one.`,
      )
    }
    for (const statement of migration.statements) await clickhouse.command(statement)
    await clickhouse.insertBlock({
      table: 'schema_migrations',
      columns: ['name', 'checksum'],
      body: Buffer.from(`${migration.name}\t${migration.checksum}\n`),
      token: `migration/${migration.name}`,
    })
    done.push(migration.name)
  }
  return done
}
