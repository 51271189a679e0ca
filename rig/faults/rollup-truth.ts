/**
 * Every rollup against the raw table, bucket by bucket and measure by measure. Written out a second time on purpose, not taken from the views:
 * what is wrong in a view would be wrong here as well.
 */
import { z } from 'zod'
import type { ClickHouse } from '#lib/clickhouse.ts'

interface RollupTruth {
  readonly table: string
  readonly keys: readonly string[]
  /** Of a raw row, the keys in the same order. */
  readonly keysOfRaw: readonly string[]
  readonly where?: string
  /** A measure that is no sum: equal on both sides, or the two differ. */
  readonly rolledExtra?: string
  readonly rawExtra?: string
  /** Counts of the rollup; absent when it keeps each request. */
  readonly keepsRequests?: boolean
}

const HOUR = 'toStartOfHour(timestamp)'
const NETWORK = `if(isIPAddressInRange(toString(client_ip), '::ffff:0:0/96'), client_ip, tupleElement(IPv6CIDRToRange(client_ip, 64), 1))`
const USER_BIT = `if(user_id = '', 0, bitShiftLeft(toUInt64(1), cityHash64(user_id) % 64))`

const TRUTHS: readonly RollupTruth[] = [
  {
    table: 'app_network_hourly',
    keys: ['hour', 'app_id', 'network'],
    keysOfRaw: [HOUR, 'app_id', NETWORK],
    rolledExtra: 'groupBitOr(user_bits)',
    rawExtra: `groupBitOr(${USER_BIT})`,
  },
  {
    table: 'app_user_hourly',
    keys: ['hour', 'app_id', 'user_id'],
    keysOfRaw: [HOUR, 'app_id', 'user_id'],
    where: `user_id != ''`,
  },
  {
    table: 'app_route_hourly',
    keys: ['hour', 'app_id', 'route'],
    keysOfRaw: [HOUR, 'app_id', 'route'],
    rolledExtra: 'toUInt64(max(limit_max))',
    rawExtra: 'toUInt64(max(ifNull(ratelimit_limit, 0)))',
  },
  { table: 'app_user_agent_hourly', keys: ['hour', 'app_id', 'user_agent'], keysOfRaw: [HOUR, 'app_id', 'user_agent'] },
  { table: 'app_minute', keys: ['minute', 'app_id'], keysOfRaw: ['toStartOfMinute(timestamp)', 'app_id'] },
  {
    table: 'throttle_events',
    keys: ['timestamp', 'app_id', 'route', 'client_ip', 'user_id'],
    keysOfRaw: ['timestamp', 'app_id', 'route', 'client_ip', 'user_id'],
    where: 'status_code = 429',
    keepsRequests: true,
  },
]

function named(keys: readonly string[]): string {
  return keys.map((key, index) => `${key} AS k${index}`).join(', ')
}

function differenceSql(truth: RollupTruth): string {
  const names = truth.keys.map((_, index) => `k${index}`)
  const [n, t] = truth.keepsRequests === true ? ['count()', '0'] : ['sum(requests)', 'sum(throttled)']
  const rawThrottled = truth.keepsRequests === true ? '0' : 'countIf(status_code = 429)'
  const group = `GROUP BY ${names.join(', ')}`
  return `SELECT '${truth.table}' AS rollup, count() AS buckets, sum(abs(dn)) AS requests FROM (
    SELECT sum(n) AS dn, sum(t) AS dt, groupBitXor(x) AS dx FROM (
      SELECT ${named(truth.keys)}, toInt64(${n}) AS n, toInt64(${t}) AS t, ${truth.rolledExtra ?? 'toUInt64(0)'} AS x
      FROM ${truth.table} ${group}
      UNION ALL
      SELECT ${named(truth.keysOfRaw)}, -toInt64(count()) AS n, -toInt64(${rawThrottled}) AS t, ${truth.rawExtra ?? 'toUInt64(0)'} AS x
      FROM requests WHERE ${truth.where ?? '1'} ${group}
    ) ${group} HAVING dn != 0 OR dt != 0 OR dx != 0
  )`
}

const DifferenceRow = z.object({ rollup: z.string(), buckets: z.coerce.number(), requests: z.coerce.number() })

/** Buckets of each rollup that differ from the raw table; rollups that agree are left out. */
export async function rollupDifferences(clickhouse: ClickHouse): Promise<Record<string, number>> {
  const found: Record<string, number> = {}
  for (const truth of TRUTHS) {
    const [row] = await clickhouse.select(differenceSql(truth), DifferenceRow)
    if (row === undefined) throw new Error(`no answer about ${truth.table}`)
    if (row.buckets > 0) found[truth.table] = row.buckets
  }
  return found
}
