/** The first half of `sidestep detect`: registry and requests into the database, with a summary on standard error. */
import type { ClickHouse } from '#lib/clickhouse.ts'
import { SidestepError } from '#lib/errors.ts'
import { createProgress } from '#lib/progress.ts'

import { checkReadable } from '../services/ingest/files/source.ts'
import { FORMATS, type FormatName } from '../services/ingest/decode/formats/index.ts'
import { loadMappingFile } from '../services/ingest/decode/formats/mapping-file.ts'
import { fileTimeSpan, ingestFiles, type IngestResult } from '../services/ingest/files/ingest-files.ts'
import {
  loadRegistry,
  unregisteredApps,
  type RegistryResult,
  type Unregistered,
} from '../services/ingest/registry/file.ts'
import { ingestSummary, registrySummary, unregisteredSummary } from './render/ingest-summary.ts'

export interface DetectIngestOptions {
  readonly requests: readonly string[]
  readonly apps: string
  readonly format: FormatName
  readonly mapping?: string
  readonly trustedHops: number
  readonly clickhouse: ClickHouse
  readonly signal: AbortSignal
  /** Standard input, when one of the files is '-'. */
  readonly stdin?: AsyncIterable<Buffer> | undefined
}

/** What is in the database now, and how it got there. */
export interface DetectInput {
  readonly clickhouse: ClickHouse
  readonly signal: AbortSignal
  readonly ingest: IngestResult
  readonly registry: RegistryResult
  readonly unregistered: Unregistered
}

function print(lines: readonly string[]): void {
  for (const line of lines) process.stderr.write(`${line}\n`)
}

async function ingestRequests(options: DetectIngestOptions): Promise<IngestResult> {
  const format = options.mapping === undefined ? FORMATS[options.format] : loadMappingFile(options.mapping)
  const sizes = await Promise.all(options.requests.map(async (file) => await checkReadable(file)))
  const total = sizes.includes(0) ? 0 : sizes.reduce((sum, size) => sum + size, 0)
  const progress = createProgress({ label: 'reading', total, unit: 'bytes' })
  try {
    return await ingestFiles({
      clickhouse: options.clickhouse,
      files: options.requests,
      decode: { format, trustedHops: options.trustedHops, ...fileTimeSpan(Date.now()) },
      onProgress: ({ bytes }) => progress.update(bytes),
      signal: options.signal,
      stdin: options.stdin,
    })
  } finally {
    progress.finish()
  }
}

/** Fills the database. Throws a usage error when no record at all could be used. */
export async function ingestForDetection(options: DetectIngestOptions): Promise<DetectInput> {
  const { clickhouse, signal } = options
  await Promise.all(options.requests.map(async (file) => await checkReadable(file)))
  const registry = await loadRegistry({ clickhouse, file: options.apps, version: Date.now(), stdin: options.stdin })
  print(registrySummary(registry))
  const startedAt = performance.now()
  const ingest = await ingestRequests(options)
  print(ingestSummary(ingest, (performance.now() - startedAt) / 1000))
  if (!ingest.interrupted && ingest.stored + ingest.duplicate === 0) {
    const hint = ingest.read === 0 ? 'there is none' : `is --format ${options.mapping ?? options.format} right?`
    throw new SidestepError('usage', `no usable record in ${options.requests.join(', ')}: ${hint}`)
  }
  const unregistered = await unregisteredApps(clickhouse)
  print(unregisteredSummary(unregistered))
  return { clickhouse, signal, ingest, registry, unregistered }
}
