/** `npm run bench -- <name>`: what is measured, against whom. Each measurement prints its own table. */
import { Command, InvalidArgumentError, Option } from 'commander'

import { WORLD_KINDS } from '#simulate/conditions.ts'

import { benchAnalyze, type AnalyzeOptions } from './analyze.ts'
import { benchDetect } from './detect.ts'
import { benchDistributions, type DistributionsOptions } from './distributions.ts'
import { benchFaults } from './faults.ts'
import { benchIngest, CODECS, type Codec } from './ingest.ts'
import { benchIngestFiles } from './ingest-files.ts'
import { benchQuality, type QualityOptions } from './quality.ts'

function wholeNumber(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('It must be a whole number from 1 on.')
  return value
}

const bench = new Command('bench').description('Measures sidestep.')

function isCodec(name: string): name is Codec {
  return Object.hasOwn(CODECS, name)
}

function codecs(text: string): Codec[] {
  const names = text.split(',')
  if (!names.every(isCodec)) throw new InvalidArgumentError(`It must be of ${Object.keys(CODECS).join(', ')}.`)
  return names
}

bench
  .command('ingest')
  .description("A Kafka topic into ClickHouse, against ClickHouse's own Kafka engine.")
  .option('--records <n>', 'records in the topic', wholeNumber, 2_000_000)
  .option('--rounds <n>', 'runs of each, alternating', wholeNumber, 3)
  .option('--codecs <list>', 'how the batches are packed', codecs, codecs('none,gzip,lz4,zstd'))
  .action(async (options: { records: number; rounds: number; codecs: Codec[] }) => await benchIngest(options))

bench
  .command('ingest-files')
  .description('Files into the embedded engine, against the same file by INSERT … SELECT FROM file().')
  .option('--records <n>', 'records to read', wholeNumber, 1_000_000)
  .option('--rounds <n>', 'runs of each, alternating', wholeNumber, 3)
  .action(async (options: { records: number; rounds: number }) => await benchIngestFiles(options))

bench
  .command('detect')
  .description('detect as a whole process on 1 M and 4 M records: time, memory, growth.')
  .action(benchDetect)

bench
  .command('analyze')
  .description(
    'The analysis alone on growing platforms: CPU, memory, growth; writes its table into docs/benchmarks.md.',
  )
  .option('--max <n>', 'largest platform, records: 500,000 to 16,000,000', wholeNumber, 2_000_000)
  .option('--seed <n>', 'of the simulation', wholeNumber, 7)
  .option('--save <file>', 'keep the runs there; those that it has are not measured again')
  .action(async (options: AnalyzeOptions) => await benchAnalyze(options))

bench
  .command('quality')
  .description('Detection on simulated worlds beside published methods; writes docs/quality.md and its pictures.')
  .option('--from <seed>', 'first seed; 1 to 59 were used while developing', wholeNumber, 101)
  .option('--seeds <n>', 'how many seeds of each kind of world', wholeNumber, 5)
  .option('--world <kinds>', 'as evaluate takes them', WORLD_KINDS.join(','))
  .option('--strength <names>', 'as evaluate takes them', 'medium,weak')
  .option('--apps <n>', 'applications of a world', wholeNumber, 1_500)
  .option('--requests <n>', 'requests of a world', wholeNumber, 1_000_000)
  .option('--ablate <n>', 'the worlds of the first n seeds without each part of the detector too', wholeNumber)
  .option('--save <file>', 'keep the results there, after each world')
  .option('--results <file>', 'make the page from kept results, without a run; give the other options as they were')
  .action(async (options: QualityOptions) => await benchQuality(options))

bench
  .command('distributions')
  .description('Distributions of a file of requests, beside those of simulated worlds of its size: do ours cover it?')
  .requiredOption('--requests <file>', 'sidestep request records, NDJSON or NDJSON.zst')
  .addOption(new Option('--world <kind>', 'of which kind').choices(WORLD_KINDS).default('hard'))
  .option('--from <seed>', 'first seed', wholeNumber, 201)
  .option('--seeds <n>', 'how many', wholeNumber, 6)
  .action(async (options: DistributionsOptions) => await benchDistributions(options))

bench
  .command('faults')
  .description(
    'Random faults on the ingest service, its broker and its engine: what is lost, doubled or miscounted. Fails if anything is.',
  )
  .option('--minutes <n>', 'how long', wholeNumber, 20)
  .option('--seed <n>', 'of the choice of faults', wholeNumber, 1)
  .action(async (options: { minutes: number; seed: number }) => await benchFaults(options))

await bench.parseAsync()
