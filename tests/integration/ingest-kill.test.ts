/** kill -9 in the middle of inserts, again and again, in a process of its own: afterwards everything is counted once. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import { expect, test } from 'vitest'

import { openClickHouse } from '#lib/clickhouse.ts'

import { numberedLines } from '../../rig/requests.ts'
import { consistentTotals, readTotals } from '../support/totals.ts'

const CHILD = fileURLToPath(new URL('../support/ingest-child.ts', import.meta.url))
const RECORDS = 12_000
const ROWS = 500
/** More than enough by default; a long run sets it: KILLS=60 npx vitest run --project integration ingest-kill. */
const KILLS = Number(process.env['KILLS'] ?? 6)

/** Repeatable numbers from 0 to 1 (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

interface Kill {
  /** Blocks that the process may report before it is killed. */
  readonly afterBlocks: number
  /** Part of the time that its last block took, to wait further: the kill falls into the middle of an insert. */
  readonly part: number
}

/** Runs the child until it is done, or kills it; resolves to its last line when it was done. */
async function run(dataDir: string, file: string, kill: Kill | undefined): Promise<string | undefined> {
  const child = spawn(process.execPath, [CHILD, dataDir, String(ROWS), file], { stdio: ['ignore', 'pipe', 'inherit'] })
  let last: string | undefined
  let blocks = 0
  let at = performance.now()
  for await (const line of createInterface({ input: child.stdout })) {
    last = line
    const blockMs = performance.now() - at
    at = performance.now()
    if (kill === undefined || line.startsWith('done')) continue
    if (blocks === kill.afterBlocks) setTimeout(() => child.kill('SIGKILL'), kill.part * Math.min(blockMs, 300))
    blocks += 1
  }
  return last?.startsWith('done') === true ? last : undefined
}

test('killed at any moment and run again, each record is stored once and counted once in every rollup', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'sidestep-kill-'))
  const dataDir = join(directory, 'data')
  const file = join(directory, 'requests.ndjson')
  const lines = numberedLines(0, RECORDS).split('\n')
  // A dead record in each block.
  for (let index = 100; index < RECORDS; index += ROWS) lines[index] = 'not json'
  await writeFile(file, lines.join('\n'))
  const random = seeded(20_260_105)
  let records = RECORDS
  let expected = 0
  for (let kill = 0; kill < KILLS; kill += 1) {
    const isDone = (await run(dataDir, file, { afterBlocks: Math.floor(random() * 4), part: random() })) !== undefined
    if (!isDone) continue
    // In a long run the file is through before the last kill: go on with one that starts differently.
    expected += records
    await writeFile(file, `${JSON.stringify({ kill })}\n${lines.join('\n')}`)
    records = RECORDS + 1
  }
  expected += records
  const last = await run(dataDir, file, undefined)
  expect(last).toContain('done')
  expect(last).not.toContain('not_repaired')
  const clickhouse = await openClickHouse({ dataDir })
  const totals = await readTotals(clickhouse)
  await clickhouse.close()
  await rm(directory, { recursive: true })
  expect(totals).toEqual(consistentTotals(totals))
  expect(totals.raw + totals.dead).toBe(expected)
})
