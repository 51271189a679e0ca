/**
 * One client for ClickHouse, whether it is a server (HTTP) or the embedded engine (chDB, in this process).
 *
 * Guarantees
 * - The same SQL text runs on both; typed parameters are bound by the engine.
 * - Settings travel inside the statement. The embedded engine turns per-call settings into session settings: a deduplication
 *   token passed that way would stay and silently drop later inserts.
 * - `insertBlock` is one INSERT of one block: it is either replayed whole under its token or not at all.
 * - Rows are checked by the query's zod schema before anyone sees them.
 */
import { Readable } from 'node:stream'
import { ClickHouseLogLevel, createClient, type ClickHouseClient } from '@clickhouse/client'
import type { ChdbConnection } from 'chdb/connection'
import type { z } from 'zod'
import { errorMessage, SidestepError } from './errors.ts'
import { sqlText, type SqlQuery } from './sql-query.ts'
import { hideStandardInput } from './standard-input.ts'

export interface BlockInsert {
  readonly table: string
  readonly columns: readonly string[]
  /** TabSeparated rows, each ended by a newline. Must not be changed until the promise settles. */
  readonly body: Uint8Array
  /** Deduplication token: the same token with the same rows is stored once, in the table and behind every view. */
  readonly token: string
}

export interface ClickHouse {
  readonly kind: 'server' | 'embedded'
  /** Rows of a query file. Throws when a row does not fit its schema. */
  query<Params extends z.ZodType, Row extends z.ZodType>(
    query: SqlQuery<Params, Row>,
    params: z.input<Params>,
  ): Promise<z.output<Row>[]>
  /** Rows of SQL given as text, for ad-hoc reads and tests. */
  select<Row extends z.ZodType>(sql: string, row: Row, params?: Record<string, unknown>): Promise<z.output<Row>[]>
  /** A query file that writes (INSERT … SELECT). */
  run<Params extends z.ZodType>(query: Omit<SqlQuery<Params, z.ZodType>, 'row'>, params: z.input<Params>): Promise<void>
  /** One statement without a result. */
  command(sql: string, params?: Record<string, unknown>): Promise<void>
  insertBlock(insert: BlockInsert): Promise<void>
  close(): Promise<void>
}

/**
 * What makes an INSERT one block that replays safely. Every value is said aloud because defaults differ between versions:
 * async_insert is 1 by default since 26.7, view deduplication was 0 before 25.
 */
const BLOCK_SETTINGS = {
  insert_deduplicate: 1,
  deduplicate_blocks_in_dependent_materialized_views: 1,
  async_insert: 0,
  input_format_parallel_parsing: 0,
  max_insert_block_size: 1_048_576,
  max_partitions_per_insert_block: 0,
  // The views behind `landing` are filled side by side: 25 % more records/s on two cores (docs/benchmarks).
  parallel_view_processing: 1,
} as const

type ClientConnection = NonNullable<NonNullable<Parameters<typeof createClient>[0]>['connection']>

export interface ClickHouseConfig {
  /** Server URL with user, password and database, or undefined for the embedded engine. */
  readonly url?: string | undefined
  /** Data directory of the embedded engine. */
  readonly dataDir: string
  /**
   * Milliseconds after which a request to the server fails and the server itself gives an insert up (whole seconds there, at least one).
   * Absent: five minutes, and the server's own limit.
   */
  readonly requestTimeoutMs?: number | undefined
}

/** Opens the server at `url`, else the embedded engine in `dataDir`. Throws SidestepError with what to check. */
export async function openClickHouse(config: ClickHouseConfig): Promise<ClickHouse> {
  const { url, dataDir, requestTimeoutMs } = config
  const seconds = requestTimeoutMs === undefined ? undefined : Math.max(1, Math.floor(requestTimeoutMs / 1000))
  const settings = { ...BLOCK_SETTINGS, ...(seconds === undefined ? {} : { max_execution_time: seconds }) }
  if (url === undefined) return await openEmbedded(dataDir, settings)
  return await openServer(url, settings, requestTimeoutMs ?? REQUEST_TIMEOUT_MS)
}

type BlockSettings = Readonly<Record<string, number>>

const REQUEST_TIMEOUT_MS = 300_000

async function openServer(url: string, blockSettings: BlockSettings, requestTimeoutMs: number): Promise<ClickHouse> {
  // Its own log says on standard error what the errors say that it throws.
  const log = { level: ClickHouseLogLevel.OFF } as const
  const client = createClient({ url, request_timeout: requestTimeoutMs, log })
  const answer = await client.ping({ select: true })
  if (!answer.success) {
    await client.close()
    const host = new URL(url).host
    throw new SidestepError(
      'failure',
      `ClickHouse at ${host} does not answer: ${answer.error.message}. Check CLICKHOUSE_URL.`,
      { cause: answer.error },
    )
  }
  const insertBlock = async (insert: BlockInsert): Promise<void> => {
    const comment = `'insert/${insert.table}'`
    const named = { insert_deduplication_token: `'${insert.token}'`, log_comment: comment }
    const settings = Object.entries({ ...blockSettings, ...named })
    const list = settings.map(([key, value]) => `${key} = ${value}`).join(', ')
    const query = `INSERT INTO ${insert.table} (${insert.columns.join(', ')}) SETTINGS ${list} FORMAT TabSeparated`
    const { stream } = await client.exec({ query, values: Readable.from([insert.body], { objectMode: false }) })
    stream.resume()
  }
  return makeClickHouse('server', client, insertBlock)
}

async function openEmbedded(dataDir: string, blockSettings: BlockSettings): Promise<ClickHouse> {
  hideStandardInput()
  // Loading the engine costs 150 MB of memory, which a service that talks to a server does not have to spend.
  const { createChdbConnection } = await import('chdb/connection')
  let connection: ChdbConnection
  try {
    connection = createChdbConnection({ path: dataDir })
  } catch (error) {
    throw new SidestepError(
      'failure',
      `cannot open the data directory ${dataDir}: ${errorMessage(error)}. It serves one process at a time: is another sidestep using it?`,
      { cause: error },
    )
  }
  const insertBlock = async (insert: BlockInsert): Promise<void> => {
    await connection.chdb.rawInsert({
      table: insert.table,
      columns: insert.columns,
      values: insert.body,
      format: 'TabSeparated',
      settings: { ...blockSettings, insert_deduplication_token: insert.token, log_comment: `insert/${insert.table}` },
    })
  }
  // The one cast of the code base: chDB implements the connection of @clickhouse/client-common, of which @clickhouse/client
  // carries a copy with the same shape under another type identity.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const client = createClient({ connection: connection as unknown as ClientConnection })
  return makeClickHouse('embedded', client, insertBlock)
}

function makeClickHouse(
  kind: ClickHouse['kind'],
  client: ClickHouseClient,
  insertBlock: ClickHouse['insertBlock'],
): ClickHouse {
  const select: ClickHouse['select'] = async (sql, row, params = {}) => {
    const result = await client.query({ query: sql, query_params: params, format: 'JSONEachRow' })
    return row.array().parse(await result.json())
  }
  return {
    kind,
    select,
    insertBlock,
    async query(query, params) {
      const bound = bindable(query.params.parse(params))
      try {
        return await select(withComment(query.name), query.row, bound)
      } catch (error) {
        throw new Error(`query ${query.name}: ${errorMessage(error)}`, { cause: error })
      }
    },
    async run(query, params) {
      const bound = bindable(query.params.parse(params))
      try {
        await client.command({ query: withComment(query.name), query_params: bound })
      } catch (error) {
        throw new Error(`query ${query.name}: ${errorMessage(error)}`, { cause: error })
      }
    },
    async command(sql, params = {}) {
      await client.command({ query: sql, query_params: params })
    },
    async close() {
      await client.close()
    },
  }
}

/** Text of a query file under the name that the server logs it by. No file ends in settings of its own. */
function withComment(name: string): string {
  return `${sqlText(name).trimEnd()}\nSETTINGS log_comment = '${name}'`
}

/** Parsed parameters as the plain object that the client binds. */
function bindable(params: unknown): Record<string, unknown> {
  if (typeof params !== 'object' || params === null) throw new TypeError('query parameters must be an object')
  return Object.fromEntries(Object.entries(params))
}
