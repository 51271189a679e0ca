/** `sidestep demo` (npm start): ingest and analyse the bundled traffic sample, print the findings, say what to type next. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'

import { readConfig } from '../config.ts'
import { analyseAndShow } from '../detect-analyse.ts'
import { ingestForDetection } from '../detect-ingest.ts'
import { withEngine } from '../with-engine.ts'

const sample = (name: string): string => fileURLToPath(new URL(`../../sample/${name}`, import.meta.url))

const EXAMPLE = `
Example:
  $ npm start
`

async function run(): Promise<void> {
  const dataDir = join(readConfig().dataDir, 'demo')
  process.stderr.write('A bundled sample: one day of an API platform, simulated (sample/README.md).\n')
  await withEngine(dataDir, async (clickhouse, signal) => {
    const input = await ingestForDetection({
      requests: [sample('requests.ndjson.zst')],
      apps: sample('apps.ndjson'),
      format: 'sidestep',
      trustedHops: 0,
      clickhouse,
      signal,
    })
    if (!signal.aborted) await analyseAndShow({ ...input, out: undefined, json: false })
  })
  process.stdout.write(nextSteps(dataDir))
}

function nextSteps(dataDir: string): string {
  return `
Next:
  one finding in full     npm run -s sidestep -- explain <finding> --data-dir ${dataDir}
  your own logs           npm run -s sidestep -- detect --requests access.ndjson.gz --apps apps.ndjson
  formats of your gateway npm run -s sidestep -- detect --help
  how good is it?         npm run -s sidestep -- evaluate --seed 11
`
}

export function demoCommand(): Command {
  return new Command('demo')
    .description('Ingest and analyse the bundled traffic sample.')
    .addHelpText('after', EXAMPLE)
    .action(run)
}
