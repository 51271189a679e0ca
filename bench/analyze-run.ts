/** One measured analysis in a process of its own, over a store that detect has filled: node analyze-run.ts DATA_DIR. Prints one JSON line. */
import { openClickHouse } from '#lib/clickhouse.ts'

import { analyseAll } from '../cli/analysis.ts'

const [dataDir = ''] = process.argv.slice(2)
const clickhouse = await openClickHouse({ dataDir })
const cpuBefore = process.cpuUsage()
const startedAt = performance.now()
const { apps, streams, groups, pairs, findings } = await analyseAll(clickhouse, Date.now())
const seconds = (performance.now() - startedAt) / 1000
const { user, system } = process.cpuUsage(cpuBefore)
await clickhouse.close()
const run = {
  apps,
  streams,
  groups,
  pairs,
  findings: findings.length,
  seconds,
  cpuSeconds: (user + system) / 1e6,
  residentMegabytes: process.resourceUsage().maxRSS / 1024,
}
process.stdout.write(`${JSON.stringify(run)}\n`)
