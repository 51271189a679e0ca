/**
 * One measured run in a process of its own: node ingest-files-run.ts sidestep|peer DATA_DIR FILE [ROWS]. Prints one JSON line.
 *
 * The peer is what a user would do instead: the engine reads the file itself and fills the same tables. It validates nothing, keeps no
 * dead letters, and cannot be repeated without counting twice.
 */
import { stat } from 'node:fs/promises'

import { openClickHouse, type ClickHouse } from '#lib/clickhouse.ts'
import { migrate } from '#lib/migrate.ts'

import { FILE_BATCH_LIMITS } from '../services/ingest/blocks/block.ts'
import { FORMATS } from '../services/ingest/decode/formats/index.ts'
import { fileTimeSpan, ingestFiles } from '../services/ingest/files/ingest-files.ts'
import { z } from 'zod'

const PEER_COLUMNS = `source, partition, offset, reason, detail, payload, timestamp, app_id, client_ip, method, route, status_code, user_id,
  user_agent, request_id, credential_id, ratelimit_limit, ratelimit_remaining, ratelimit_reset, duration_ms, request_bytes, response_bytes,
  host, region, gateway, trace_id`

const PEER_STRUCTURE = `timestamp String, app_id String, client_ip String, method String, route String, status_code UInt16, user_id String,
  user_agent String, request_id String, credential_id String, ratelimit_limit Nullable(UInt32), ratelimit_remaining Nullable(UInt32),
  ratelimit_reset Nullable(UInt32), duration_ms Nullable(Float32), request_bytes Nullable(UInt64), response_bytes Nullable(UInt64),
  host String, region String, gateway String, trace_id String`

async function runPeer(clickhouse: ClickHouse, file: string): Promise<void> {
  await clickhouse.command(
    `INSERT INTO landing (${PEER_COLUMNS})
     SELECT 'peer', 0, rowNumberInAllBlocks(), '', '', '', parseDateTime64BestEffort(timestamp, 3, 'UTC'), app_id, toIPv6(client_ip), method, route,
       status_code, user_id, user_agent, request_id, credential_id, ratelimit_limit, ratelimit_remaining, ratelimit_reset, duration_ms,
       request_bytes, response_bytes, host, region, gateway, trace_id
     FROM file('${file}', 'JSONEachRow', '${PEER_STRUCTURE}')`,
  )
}

async function runSidestep(clickhouse: ClickHouse, file: string, rows: number): Promise<void> {
  const decode = { format: FORMATS.sidestep, trustedHops: 0, ...fileTimeSpan(Date.now()) }
  await ingestFiles({ clickhouse, files: [file], decode, limits: { ...FILE_BATCH_LIMITS, rows, bytes: rows * 2000 } })
}

const [who = '', dataDir = '', file = '', rows] = process.argv.slice(2)
const clickhouse = await openClickHouse({ dataDir })
await migrate(clickhouse)
const cpuBefore = process.cpuUsage()
const startedAt = performance.now()
if (who === 'peer') await runPeer(clickhouse, file)
else await runSidestep(clickhouse, file, rows === undefined ? FILE_BATCH_LIMITS.rows : Number(rows))
const seconds = (performance.now() - startedAt) / 1000
const cpu = process.cpuUsage(cpuBefore)
const [stored] = await clickhouse.select(
  'SELECT count() AS records, (SELECT sum(requests) FROM app_minute) AS rolled FROM requests',
  z.object({ records: z.coerce.number(), rolled: z.coerce.number() }),
)
const { size } = await stat(file)
await clickhouse.close()
const run = {
  records: stored?.records ?? 0,
  rolled: stored?.rolled ?? 0,
  seconds,
  megabytes: size / 1e6,
  cpuSeconds: (cpu.user + cpu.system) / 1e6,
  residentMegabytes: process.resourceUsage().maxRSS / 1024,
}
process.stdout.write(`${JSON.stringify(run)}\n`)
