/**
 * A process that ingests files and may be killed at any moment: node ingest-child.ts DATA_DIR ROWS FILE…
 * Writes "stored N" after each block, so that its parent knows how far it is, and "done {…}" at the end.
 */
import { openClickHouse } from '#lib/clickhouse.ts'
import { migrate } from '#lib/migrate.ts'

import { ingestFiles } from '../../services/ingest/files/ingest-files.ts'
import { DECODE } from '../../rig/requests.ts'

const [dataDir = '', rows = '1000', ...files] = process.argv.slice(2)
const clickhouse = await openClickHouse({ dataDir })
await migrate(clickhouse)
process.stdout.write('open\n')
const result = await ingestFiles({
  clickhouse,
  files,
  decode: DECODE,
  limits: { rows: Number(rows), bytes: 1e9 },
  onProgress: ({ records }) => process.stdout.write(`stored ${records}\n`),
})
await clickhouse.close()
process.stdout.write(
  `done ${JSON.stringify({ read: result.read, problems: result.problems.map((problem) => problem.reason) })}\n`,
)
