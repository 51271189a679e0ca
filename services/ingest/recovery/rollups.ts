/**
 * The rollups against the raw table. What a rollup should hold is said in one place only, the SELECT of its materialized view: here that
 * SELECT is read from the engine and asked of raw rows instead of a block, so a comparison or a repair cannot drift from the view.
 */
import { z } from 'zod'

import type { ClickHouse } from '#lib/clickhouse.ts'

interface RollupShape {
  readonly table: string
  /** Column with the start of the bucket (or the time of the event). */
  readonly time: string
  /** Columns that make a bucket, `time` included. */
  readonly keys: readonly string[]
  /** What counts the requests of a bucket: in the rows of the view, and in the table. */
  readonly count: 'sum(requests)' | 'count()'
}

function hourly(table: string, key: string): RollupShape {
  return { table, time: 'hour', keys: ['hour', 'app_id', key], count: 'sum(requests)' }
}

export const ROLLUPS: readonly RollupShape[] = [
  hourly('app_network_hourly', 'network'),
  hourly('app_user_hourly', 'user_id'),
  hourly('app_route_hourly', 'route'),
  hourly('app_user_agent_hourly', 'user_agent'),
  { table: 'app_minute', time: 'minute', keys: ['minute', 'app_id'], count: 'sum(requests)' },
  {
    table: 'throttle_events',
    time: 'timestamp',
    keys: ['timestamp', 'app_id', 'route', 'client_ip', 'user_id'],
    count: 'count()',
  },
]

export interface Rollup extends RollupShape {
  /** Columns that the view fills. */
  readonly columns: readonly string[]
  /** SELECT that gives the rows of the rollup for those rows of `requests` that `where` holds of. */
  readonly rowsOf: (where: string) => string
}

const ViewRow = z.object({ name: z.string(), as_select: z.string(), columns: z.array(z.string()) })

/** Where a view reads from; the engine spells it with the database. */
const FROM_LANDING = /\bFROM\s+(?:`?\w+`?\.)?`?landing`?/

/** Reads the views from the engine. Throws when one is missing or does not read from `landing`. */
export async function readRollups(clickhouse: ClickHouse): Promise<readonly Rollup[]> {
  const views = await clickhouse.select(
    `SELECT name, as_select, (SELECT groupArray((table, name)) FROM system.columns WHERE database = currentDatabase()) AS all_columns,
       arrayMap(c -> c.2, arrayFilter(c -> c.1 = tables.name, all_columns)) AS columns
     FROM system.tables AS tables
     WHERE database = currentDatabase() AND engine = 'MaterializedView'
     ORDER BY name`,
    ViewRow,
  )
  return ROLLUPS.map((shape): Rollup => {
    const view = views.find((row) => row.name === `${shape.table}_view`)
    if (view === undefined || !FROM_LANDING.test(view.as_select)) {
      throw new Error(`the view ${shape.table}_view is missing or does not read from landing: run sidestep migrate`)
    }
    const rowsOf = (where: string): string =>
      view.as_select.replace(FROM_LANDING, () => `FROM (SELECT *, '' AS reason FROM requests WHERE ${where})`)
    const { table, time, keys, count } = shape
    return { table, time, keys, count, columns: view.columns, rowsOf }
  })
}

/** Parameters: source, partition, from, to. */
export const OF_RANGE =
  'source = {source:String} AND partition = {partition:UInt32} AND offset >= {from:UInt64} AND offset < {to:UInt64}'

/**
 * Votes of the buckets that a range touches, week by week. Parameters: those of OF_RANGE.
 * `own` is what the range adds to a bucket, `raw` what all raw rows give, `rolled` what the rollup holds.
 */
export function votesSql(rollup: Rollup): string {
  const { table, time, count } = rollup
  const keys = rollup.keys.join(', ')
  const ofSameHours = `(toStartOfHour(timestamp), app_id) IN (SELECT toStartOfHour(timestamp), app_id FROM requests WHERE ${OF_RANGE})`
  const own = rollup.rowsOf(OF_RANGE)
  return `SELECT '${table}' AS rollup, toMonday(${time}) AS week,
      countIf(raw = rolled) AS present, countIf(raw - rolled = own) AS absent, count() AS buckets
    FROM (
      SELECT ${keys}, sumIf(n, side = 'own') AS own, toInt64(sumIf(n, side = 'raw')) AS raw, toInt64(sumIf(n, side = 'rolled')) AS rolled
      FROM (
        SELECT ${keys}, ${count} AS n, 'own' AS side FROM (${own}) GROUP BY ${keys}
        UNION ALL
        SELECT ${keys}, ${count} AS n, 'raw' AS side FROM (${rollup.rowsOf(ofSameHours)}) GROUP BY ${keys}
        UNION ALL
        SELECT ${keys}, ${count} AS n, 'rolled' AS side FROM ${table} WHERE (${keys}) IN (SELECT ${keys} FROM (${own})) GROUP BY ${keys}
      )
      GROUP BY ${keys} HAVING own > 0
    )
    GROUP BY week ORDER BY week`
}

/** Adds what a range has in the raw table to a rollup, for one week. Parameters: those of OF_RANGE, and week. */
export function addRangeSql(rollup: Rollup): string {
  const columns = rollup.columns.join(', ')
  return `INSERT INTO ${rollup.table} (${columns}) SELECT ${columns} FROM (${rollup.rowsOf(OF_RANGE)})
    WHERE toMonday(${rollup.time}) = {week:Date} SETTINGS insert_deduplicate = 0`
}

function within(column: string): string {
  return `${column} >= toDateTime({from:UInt32}, 'UTC') AND ${column} < toDateTime({to:UInt32}, 'UTC')`
}

/** Hours [from, to) in which raw rows and a rollup differ, app by app. Parameters: from, to (epoch seconds). */
export function differencesSql(rollup: Rollup): string {
  const { table, time, count } = rollup
  const side = (name: string, rows: string): string =>
    `SELECT toStartOfHour(${time}) AS bucket, app_id, ${count} AS n, '${name}' AS side FROM ${rows} GROUP BY bucket, app_id`
  return `SELECT toUnixTimestamp(bucket) AS hour, app_id, sumIf(n, side = 'raw') AS raw, sumIf(n, side = 'rolled') AS rolled
    FROM (
      ${side('raw', `(${rollup.rowsOf(within('timestamp'))})`)}
      UNION ALL
      ${side('rolled', `(SELECT * FROM ${table} WHERE ${within(time)})`)}
    )
    GROUP BY bucket, app_id HAVING raw != rolled ORDER BY bucket, app_id`
}

function ofBuckets(time: string): string {
  return `(toUnixTimestamp(toStartOfHour(${time})), app_id) IN {buckets:Array(Tuple(UInt32, String))}`
}

/** Removes buckets from a rollup, and fills them from the raw table. Parameter: buckets, (hour, app_id) with the hour in epoch seconds. */
export function rebuildSql(rollup: Rollup): readonly [remove: string, fill: string] {
  const columns = rollup.columns.join(', ')
  return [
    `ALTER TABLE ${rollup.table} DELETE WHERE ${ofBuckets(rollup.time)} SETTINGS mutations_sync = 1`,
    `INSERT INTO ${rollup.table} (${columns}) SELECT ${columns} FROM (${rollup.rowsOf(ofBuckets('timestamp'))}) SETTINGS insert_deduplicate = 0`,
  ]
}
