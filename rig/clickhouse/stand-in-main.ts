/**
 * Stands in for the ClickHouse image in docker-compose.yml: the front over the embedded engine on port 8123, with the database CLICKHOUSE_DB.
 * Any user and any password pass. `node rig/clickhouse/stand-in-main.ts DATA_DIR`
 */
import { startFront } from './front.ts'

const dataDir = process.argv[2]
const database = process.env['CLICKHOUSE_DB'] ?? 'default'
if (dataDir === undefined) throw new Error('the data directory is missing')

const front = await startFront({ dataDir, host: '0.0.0.0', port: 8123 })
const made = await fetch(`http://127.0.0.1:${front.port}/`, {
  method: 'POST',
  body: `CREATE DATABASE IF NOT EXISTS ${database}`,
})
if (!made.ok) throw new Error(await made.text())
process.stdout.write(`answering on port ${front.port}, database ${database}\n`)
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    void front.close()
  })
}
