/**
 * The app registry from a file into `apps`: NDJSON or one JSON array, plain, gzip or zstd.
 *
 * A bad entry is a problem with its line, and the others are loaded. An app that is listed twice is a problem too; the last entry wins.
 */
import { z } from 'zod'

import type { ClickHouse } from '#lib/clickhouse.ts'
import { SidestepError } from '#lib/errors.ts'
import type { SqlQuery } from '#lib/sql-query.ts'

import { APP_COLUMNS, appRow, parseApp, type RegisteredApp } from './app-row.ts'
import { openFileSource } from '../files/source.ts'
import { splitJsonArray, type JsonElement } from './json-array.ts'

export interface RegistryProblem {
  readonly file: string
  /** Counted from 1. */
  readonly line: number
  readonly message: string
}

export interface RegistryResult {
  /** Apps loaded. */
  readonly apps: number
  /** Entries that were not loaded, or were overruled by a later one. */
  readonly rejected: number
  /** Notes on entries that were loaded, with something cut or left out. */
  readonly adjusted: number
  /** The first few problems. */
  readonly problems: readonly RegistryProblem[]
}

export interface RegistryOptions {
  readonly clickhouse: ClickHouse
  /** Path; '-' is standard input. */
  readonly file: string
  /** Of the rows (app-row.ts): the load time, epoch milliseconds. */
  readonly version: number
  readonly stdin?: AsyncIterable<Buffer> | undefined
}

const PROBLEMS_MAX = 20
/** A million apps of 500 bytes. JSON text must fit into one string of V8, which ends at 512 MB. */
const REGISTRY_BYTES_MAX = 480 * 1024 * 1024
/** Apps a block. */
const BLOCK_APPS = 50_000

/** The whole file as text. Throws a usage error when it cannot be read, is damaged, too large, or not UTF-8. */
async function readText(options: RegistryOptions): Promise<string> {
  const { file } = options
  const source = await openFileSource(file, { stdin: options.stdin ?? process.stdin, onRead: () => undefined })
  const parts: Buffer[] = []
  let bytes = 0
  for await (const chunk of source.chunks) {
    if (chunk.kind === 'cut_off') throw new SidestepError('usage', `cannot read ${file}: ${chunk.problem}`)
    if (chunk.kind === 'too_long') {
      throw new SidestepError(
        'usage',
        `cannot read ${file}: it has a line of ${chunk.bytes} bytes; write one app a line`,
      )
    }
    bytes += chunk.bytes.length
    if (bytes > REGISTRY_BYTES_MAX)
      throw new SidestepError('usage', `cannot read ${file}: more than ${REGISTRY_BYTES_MAX} bytes`)
    parts.push(chunk.bytes)
  }
  return Buffer.concat(parts).toString('utf8')
}

/** Entries with their lines. */
function entriesOf(text: string, file: string): readonly JsonElement[] {
  if (!text.trimStart().startsWith('[')) {
    return text
      .split('\n')
      .map((line, index) => ({ text: line, line: index + 1 }))
      .filter((entry) => entry.text.trim() !== '')
  }
  const { elements, isClosed } = splitJsonArray(text)
  if (!isClosed)
    throw new SidestepError('usage', `cannot read ${file}: the JSON array does not end; is the file cut off?`)
  return elements
}

interface Loaded {
  readonly registered: RegisteredApp
  readonly line: number
}

async function insertApps(options: RegistryOptions, apps: readonly Loaded[]): Promise<void> {
  for (let from = 0; from < apps.length; from += BLOCK_APPS) {
    const rows = apps.slice(from, from + BLOCK_APPS).map((loaded) => appRow(loaded.registered, options.version))
    await options.clickhouse.insertBlock({
      table: 'apps',
      columns: APP_COLUMNS,
      body: Buffer.from(rows.join(''), 'utf8'),
      token: `apps/${options.version}/${from}`,
    })
  }
}

/** Loads a registry. Throws SidestepError (usage) when the file as a whole is unusable. */
export async function loadRegistry(options: RegistryOptions): Promise<RegistryResult> {
  const { file } = options
  const problems: RegistryProblem[] = []
  const apps = new Map<string, Loaded>()
  let rejected = 0
  let adjusted = 0
  const report = (line: number, message: string): void => {
    rejected += 1
    if (problems.length < PROBLEMS_MAX) problems.push({ file, line, message })
  }
  for (const { text, line } of entriesOf(await readText(options), file)) {
    const parsed = parseApp(text)
    if ('problem' in parsed) {
      report(line, parsed.problem)
      continue
    }
    for (const note of parsed.notes) {
      adjusted += 1
      if (problems.length < PROBLEMS_MAX) problems.push({ file, line, message: note })
    }
    const id = parsed.app.app_id
    const earlier = apps.get(id)
    if (earlier !== undefined) report(line, `app ${id} is on line ${earlier.line} too; this later entry is used`)
    apps.set(id, { registered: parsed, line })
  }
  if (apps.size === 0) {
    const first = problems[0]
    const detail = first === undefined ? 'it is empty' : `line ${first.line}: ${first.message}`
    throw new SidestepError('usage', `no app could be read from ${file}: ${detail}`)
  }
  await insertApps(options, [...apps.values()])
  return { apps: apps.size, rejected, adjusted, problems }
}

const UnregisteredRow = z.object({
  apps: z.coerce.number(),
  requests: z.coerce.number(),
  /** Ids of those with most requests. */
  examples: z.array(z.string()),
})
export type Unregistered = z.infer<typeof UnregisteredRow>

export const unregisteredQuery: SqlQuery<z.ZodObject, typeof UnregisteredRow> = {
  name: 'ingest/unregistered-apps',
  params: z.object({}),
  row: UnregisteredRow,
}

/** Apps that send requests but are not in the registry: how many, their requests, and the busiest of them. */
export async function unregisteredApps(clickhouse: ClickHouse): Promise<Unregistered> {
  const [row] = await clickhouse.query(unregisteredQuery, {})
  return row ?? { apps: 0, requests: 0, examples: [] }
}
