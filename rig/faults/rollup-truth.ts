/**
 * Every rollup against the raw table, bucket by bucket and measure by measure, after it was computed. Written out a second time on purpose, as plain
 * SQL: what is wrong in the queries that compute the rollups would be wrong in their own comparison as well.
 */
import { z } from 'zod'
import type { ClickHouse } from '#lib/clickhouse.ts'
import { computeHours } from '../../services/analyzer/run/hours.ts'

interface RollupTruth {
  readonly table: string
  readonly keys: readonly string[]
  /** Of raw rows, the keys in the same order. */
  readonly keysOfRaw: readonly string[]
  readonly measures: readonly string[]
  /** Of raw rows, the measures in the same order. */
  readonly measuresOfRaw: readonly string[]
  readonly where?: string
}

const HOUR = 'toStartOfHour(timestamp)'
const NETWORK = `if(isIPAddressInRange(toString(client_ip), '::ffff:0:0/96'), client_ip, tupleElement(IPv6CIDRToRange(client_ip, 64), 1))`
const REQUESTS = 'count()'
const THROTTLED = 'countIf(status_code = 429)'

const TRUTHS: readonly RollupTruth[] = [
  {
    table: 'app_network_route_hourly',
    keys: ['hour', 'app_id', 'network', 'route'],
    keysOfRaw: [HOUR, 'app_id', NETWORK, 'route'],
    measures: ['requests', 'throttled', 'limit_max', 'limit_at_429', 'user_bits'],
    measuresOfRaw: [
      REQUESTS,
      THROTTLED,
      'max(ifNull(ratelimit_limit, 0))',
      'maxIf(ifNull(ratelimit_limit, 0), status_code = 429)',
      `groupBitOr(if(user_id = '', 0, bitShiftLeft(toUInt64(1), cityHash64(user_id) % 64)))`,
    ],
  },
  {
    table: 'app_network_user_agent_hourly',
    keys: ['hour', 'app_id', 'network', 'user_agent'],
    keysOfRaw: [HOUR, 'app_id', NETWORK, 'user_agent'],
    measures: ['requests'],
    measuresOfRaw: [REQUESTS],
  },
  {
    table: 'app_user_hourly',
    keys: ['hour', 'app_id', 'user_id'],
    keysOfRaw: [HOUR, 'app_id', 'user_id'],
    measures: ['requests'],
    measuresOfRaw: [REQUESTS],
    where: `user_id != ''`,
  },
  {
    table: 'app_minute',
    keys: ['minute', 'app_id'],
    keysOfRaw: ['toStartOfMinute(timestamp)', 'app_id'],
    measures: ['requests', 'throttled'],
    measuresOfRaw: [REQUESTS, THROTTLED],
  },
]

function named(letter: string, values: readonly string[]): string {
  return values.map((value, index) => `${value} AS ${letter}${index}`).join(', ')
}

/** Buckets of which the rollup and the raw rows do not say the same, those included that only one of them has. */
function differenceSql(truth: RollupTruth): string {
  const keys = truth.keys.map((_, index) => `k${index}`).join(', ')
  const measures = truth.measures.map((_, index) => `m${index}`).join(', ')
  const sums = truth.measures.map((measure) => `toUInt64(${measure})`)
  const sumsOfRaw = truth.measuresOfRaw.map((measure) => `toUInt64(${measure})`)
  return `SELECT uniqExact(${keys}) AS buckets FROM (
    SELECT ${keys}, ${measures} FROM (
      SELECT ${named('k', truth.keys)}, ${named('m', sums)} FROM ${truth.table} FINAL
      UNION ALL
      SELECT ${named('k', truth.keysOfRaw)}, ${named('m', sumsOfRaw)} FROM requests WHERE ${truth.where ?? '1'} GROUP BY ${keys}
    ) GROUP BY ${keys}, ${measures} HAVING count() != 2
  )`
}

const DifferenceRow = z.object({ buckets: z.coerce.number() })

/** Computes the rollups and resolves to the buckets of each that differ from the raw table; rollups that agree are left out. */
export async function rollupDifferences(clickhouse: ClickHouse): Promise<Record<string, number>> {
  await computeHours(clickhouse, 'faults')
  const found: Record<string, number> = {}
  for (const truth of TRUTHS) {
    const [row] = await clickhouse.select(differenceSql(truth), DifferenceRow)
    if (row === undefined) throw new Error(`no answer about ${truth.table}`)
    if (row.buckets > 0) found[truth.table] = row.buckets
  }
  return found
}
