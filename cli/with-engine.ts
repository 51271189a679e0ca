/**
 * An embedded engine for the length of one command: opened, migrated, closed, and removed when its directory was a temporary one.
 *
 * Ctrl-C (or SIGTERM) sets the signal: the command finishes the insert in flight and returns, so the data directory opens again. A second
 * one stops at once.
 */
import { rmSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { openClickHouse, type ClickHouse } from '#lib/clickhouse.ts'
import { errorMessage, SidestepError } from '#lib/errors.ts'
import { migrate } from '#lib/migrate.ts'

/** 128 + SIGINT. */
const EXIT_INTERRUPTED = 130

type Use = (clickhouse: ClickHouse, signal: AbortSignal) => Promise<void>

async function makeDirectory(dataDir: string | undefined): Promise<string> {
  try {
    if (dataDir === undefined) return await mkdtemp(join(tmpdir(), 'sidestep-'))
    await mkdir(dataDir, { recursive: true })
    return dataDir
  } catch (error) {
    throw new SidestepError('usage', `cannot make the data directory: ${errorMessage(error)}`, { cause: error })
  }
}

async function useEngine(directory: string, signal: AbortSignal, use: Use): Promise<void> {
  const clickhouse = await openClickHouse({ dataDir: directory })
  try {
    await migrate(clickhouse)
    await use(clickhouse, signal)
  } finally {
    await clickhouse.close()
  }
}

/** Runs `use` on the engine in `dataDir`, or in a temporary directory that is removed afterwards whatever happens. */
export async function withEngine(dataDir: string | undefined, use: Use): Promise<void> {
  const directory = await makeDirectory(dataDir)
  const removeNow = (): void => {
    if (dataDir === undefined) rmSync(directory, { recursive: true, force: true })
  }
  const stop = new AbortController()
  const onSignal = (): void => {
    if (stop.signal.aborted) {
      removeNow()
      process.exit(EXIT_INTERRUPTED)
    }
    process.stderr.write('\nstopping after the insert in flight; once more to stop at once\n')
    stop.abort()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  process.once('exit', removeNow)
  try {
    await useEngine(directory, stop.signal, use)
  } finally {
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
    process.off('exit', removeNow)
    if (dataDir === undefined) await rm(directory, { recursive: true, force: true })
  }
  if (stop.signal.aborted) process.exitCode = EXIT_INTERRUPTED
}
