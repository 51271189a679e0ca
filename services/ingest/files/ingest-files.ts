/**
 * Files of request records into ClickHouse, each record once.
 *
 * Guarantees
 * - Every line that is not blank is stored, or is a dead letter with its reason, or was in the database before: read = stored +
 *   dead + duplicate. Only a last line that is cut off is left for later, and reported.
 * - Reading a file again, renamed, recompressed or grown, stores only what is new.
 * - Killed at any moment and run again, nothing is missing and nothing is counted twice (recover.ts).
 * - Memory is bounded by two blocks and one line.
 */
import type { ClickHouse } from '#lib/clickhouse.ts'

import { FILE_BATCH_LIMITS, type Batch, type BatchLimits } from '../blocks/block.ts'
import type { DecodeOptions } from '../decode/decode.ts'
import { readFile } from './reader.ts'
import { checkReadable, openFileSource } from './source.ts'
import type { TimeSpan } from '../decode/landing-record.ts'
import { addProblem, createTally, tallyStored, type Tally } from './tally.ts'
import { createWriter, type RetryPolicy } from '../blocks/insert.ts'

export interface IngestProgress {
  /** Bytes of files read so far, as they are on disk. */
  readonly bytes: number
  /** Bytes of all files on disk; 0 when unknown (standard input, pipes). */
  readonly bytesTotal: number
  readonly records: number
}

export interface IngestFilesOptions {
  readonly clickhouse: ClickHouse
  /** Paths; '-' is standard input. */
  readonly files: readonly string[]
  readonly decode: DecodeOptions
  readonly stdin?: AsyncIterable<Buffer> | undefined
  readonly onProgress?: (progress: IngestProgress) => void
  /** Stops after the insert in flight; the rest stays for a later run. */
  readonly signal?: AbortSignal
  readonly limits?: BatchLimits
  readonly retry?: RetryPolicy
}

export interface IngestResult extends Readonly<Tally> {
  /** True when the signal stopped it before the end. */
  readonly interrupted: boolean
}

const DAY_MS = 86_400_000
/** Ten years: older than any log that is kept. */
const FILE_SPAN_BACK_MS = 3652 * DAY_MS
/** A day: no clock of a gateway is further ahead. */
const FILE_SPAN_AHEAD_MS = DAY_MS

/** Event times that are believed in files read at `nowMs` (epoch milliseconds). */
export function fileTimeSpan(nowMs: number): TimeSpan {
  return { earliestMs: nowMs - FILE_SPAN_BACK_MS, latestMs: nowMs + FILE_SPAN_AHEAD_MS }
}

/** Inserts at a time. The embedded engine gains nothing by a second one; and because there is one only, only the last block can be in doubt. */
const IN_FLIGHT_MAX = 1

/**
 * Reads the files one after the other and stores what is new in them. Throws SidestepError: usage when a file cannot be read (before
 * anything is stored), failure when ClickHouse cannot store.
 */
export async function ingestFiles(options: IngestFilesOptions): Promise<IngestResult> {
  const { clickhouse, signal, onProgress } = options
  const sizes = await Promise.all(options.files.map(async (file) => await checkReadable(file)))
  const bytesTotal = sizes.includes(0) ? 0 : sizes.reduce((sum, size) => sum + size, 0)
  const total = createTally()
  let bytes = 0
  const report = (): void => onProgress?.({ bytes, bytesTotal, records: total.read })
  const onTheirWay = new Map<Batch, Tally>()
  const writer = createWriter({
    clickhouse,
    inFlightMax: IN_FLIGHT_MAX,
    onStored(batch, refused) {
      const part = onTheirWay.get(batch) ?? createTally()
      onTheirWay.delete(batch)
      tallyStored(total, part, batch, refused)
      report()
    },
    ...(options.retry === undefined ? {} : { retry: options.retry }),
  })
  const limits = options.limits ?? FILE_BATCH_LIMITS
  const run = { clickhouse, writer, decode: options.decode, limits, retry: options.retry, signal, total, onTheirWay }
  for (const file of options.files) {
    if (signal?.aborted === true) break
    const source = await openFileSource(file, {
      stdin: options.stdin ?? process.stdin,
      onRead: (count) => {
        bytes += count
      },
    })
    if (source.identity === undefined) addProblem(total, { reason: 'empty', file, message: 'the file is empty' })
    else await readFile(run, file, source, source.identity)
  }
  report()
  return { ...total, interrupted: signal?.aborted === true }
}
