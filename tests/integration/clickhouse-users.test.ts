/**
 * Each ClickHouse user of deploy/ can do its job and nothing else: the file that the server reads is given to the engine, and every job is done
 * under the grants of its user.
 *
 * The embedded engine knows one user, `default`, so one engine after the other is started in which that one has the grants in question. It reads
 * its users from config.xml in the working directory.
 */
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { openClickHouse, type ClickHouse } from '#lib/clickhouse.ts'
import { migrate } from '#lib/migrate.ts'
import { runCycle } from '../../services/analyzer/cycles.ts'
import { readFindings } from '../../services/analyzer/findings/store.ts'
import { TUNING } from '../../services/analyzer/tuning.ts'
import { readIslands } from '../../services/ingest/kafka/facts.ts'
import { addRecord, openBatch, type Batch } from '../../services/ingest/blocks/block.ts'
import { createRowBuffer } from '../../services/ingest/blocks/encode.ts'
import { createRangeStore } from '../../services/ingest/recovery/range-store.ts'
import { ONE_TRY } from '../../services/ingest/blocks/insert.ts'
import { FORGET_BLOCK, reconcile } from '../../services/ingest/reconcile.ts'
import { platform } from '../support/analyzer-ring.ts'
import { store, WINDOW } from '../support/analyzer-traffic.ts'
import { endProcess, spawnBound } from '../../rig/child-process.ts'

const USERS = fileURLToPath(new URL('../../deploy/clickhouse/users.d/sidestep.xml', import.meta.url))
const FRONT = fileURLToPath(new URL('../../rig/clickhouse/front-main.ts', import.meta.url))

type User = 'migrate' | 'ingest' | 'analyzer' | 'reader'

/** The embedded engine takes one file; passwords are not what is tested. */
const PASSWORDS = Object.fromEntries(
  ['MIGRATE', 'INGEST', 'ANALYZER', 'READER'].map((user) => [`CLICKHOUSE_${user}_PASSWORD`, 'unused']),
)

/** users.xml as a server has it, and what makes `default` the user in question. Without a user it may do everything. */
function usersXml(shipped: string, user: User | undefined): { readonly base: string; readonly become: string } {
  const section = new RegExp(`<sidestep_${user}>\\s*<password.*?</sidestep_${user}>`, 's').exec(shipped)?.[0] ?? ''
  const grants = user === undefined ? '<query>GRANT ALL ON *.*</query>' : /<grants>(.*)<\/grants>/s.exec(section)?.[1]
  const profile = user === undefined ? 'default' : /<profile>(.*)<\/profile>/.exec(section)?.[1]
  if (grants === undefined || profile === undefined) throw new Error(`sidestep_${user} is not in ${USERS}`)
  const anywhere = '<networks><ip>::/0</ip></networks>'
  const person = `<password/>${anywhere}<profile>${profile}</profile><quota>default</quota><grants>${grants}</grants>`
  return {
    base: `<clickhouse><profiles><default/></profiles><quotas><default/></quotas><users><default/></users></clickhouse>`,
    become: `<clickhouse><users><default replace="replace">${person}</default></users></clickhouse>`,
  }
}

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sidestep-users-'))
})
afterAll(async () => await rm(directory, { recursive: true, force: true }))

/** Runs `use` with the rights of `user`, on the data that all of them share. */
async function as(user: User | undefined, use: (clickhouse: ClickHouse) => Promise<void>): Promise<void> {
  const home = await mkdtemp(join(directory, 'home-'))
  const { base, become } = usersXml(await readFile(USERS, 'utf8'), user)
  await mkdir(join(home, 'users.d'))
  await writeFile(join(home, 'config.xml'), `<clickhouse><users_config>${home}/users.xml</users_config></clickhouse>`)
  await writeFile(join(home, 'users.xml'), base)
  await symlink(USERS, join(home, 'users.d', 'sidestep.xml'))
  await writeFile(join(home, 'users.d', 'with-these-rights.xml'), become)
  const variables = Object.entries(PASSWORDS).map(([name, value]) => `${name}=${value}`)
  const command = [process.execPath, FRONT, '--data-dir', join(directory, 'data')]
  const shell = ['-c', 'cd "$1" && shift && exec env "$@"', 'sh', home, ...variables, ...command]
  const front = await spawnBound('sh', shell, ['ignore', 'pipe', 'inherit'])
  try {
    if (front.stdout === null) throw new Error('started without a pipe')
    const lines = createInterface({ input: front.stdout })[Symbol.asyncIterator]()
    const { port } = z.object({ port: z.int() }).parse(JSON.parse(z.string().parse((await lines.next()).value)))
    const database = user === undefined ? 'default' : 'sidestep'
    const clickhouse = await openClickHouse({ url: `http://127.0.0.1:${port}/${database}`, dataDir: '' })
    try {
      await use(clickhouse)
    } finally {
      await clickhouse.close()
    }
  } finally {
    await endProcess(front, 'SIGTERM')
  }
}

async function refuses(clickhouse: ClickHouse, statements: readonly string[]): Promise<void> {
  for (const statement of statements) {
    await expect(clickhouse.command(statement)).rejects.toThrow(/Not enough privileges|readonly mode/)
  }
}

/** Four requests, one of them refused: a row in every rollup. */
function block(source: string): Batch {
  const batch = openBatch({ source, partition: 0 }, createRowBuffer(64), Date.now())
  for (let offset = 0; offset < 4; offset += 1) {
    const texts = { method: 'GET', route: '/r', user_id: 'u', user_agent: 'a', request_id: '', credential_id: '' }
    const more = {
      host: '',
      region: '',
      gateway: '',
      trace_id: '',
      duration_ms: null,
      request_bytes: null,
      response_bytes: null,
    }
    const limits = { ratelimit_limit: 1, ratelimit_remaining: 0, ratelimit_reset: 1 }
    const record = {
      timestamp_ms: WINDOW.fromMs,
      app_id: 'app',
      client_ip: '::1',
      status_code: offset === 0 ? 429 : 200,
    }
    addRecord(batch, offset, { ...record, ...texts, ...limits, ...more }, 1)
  }
  return batch
}

describe('each user of ClickHouse can do its job and nothing else', () => {
  test('the administrator makes the database, `migrate` the tables', async () => {
    await as(undefined, async (clickhouse) => await clickhouse.command('CREATE DATABASE sidestep'))
    await as('migrate', async (clickhouse) => {
      expect((await migrate(clickhouse)).length).toBeGreaterThan(0)
      expect(await migrate(clickhouse)).toEqual([])
      await refuses(clickhouse, ['DROP DATABASE sidestep', 'CREATE USER other', 'SYSTEM SHUTDOWN'])
    })
  })

  test('ingest inserts, recovers what is missing, audits, and forgets a block', async () => {
    await as('ingest', async (clickhouse) => {
      await store(clickhouse, platform(7))
      const ranges = createRangeStore(clickhouse, ONE_TRY)
      expect(await ranges.insert(block('topic'))).toBe(0)
      // As after a kill that left a token without rows.
      const other = block('other')
      await ranges.insertMissing(other, await ranges.missing(other), 1)
      expect(await ranges.missing(other)).toEqual([])
      await ranges.insertLedger(other, await ranges.uncovered(other), 1)
      expect(await ranges.uncovered(other)).toEqual([])
      expect((await readIslands(clickhouse, 'other', 0)).map(({ from, to }) => [from, to])).toEqual([[0, 4]])
      expect(await reconcile({ clickhouse, kafka: undefined, isRepair: false })).toMatchObject({ short: [] })
      await clickhouse.run(FORGET_BLOCK, { source: 'other', partition: 0, from: 0, to: 4 })
      expect(await readIslands(clickhouse, 'other', 0)).toEqual([])
      await refuses(clickhouse, [
        'SELECT * FROM findings',
        "INSERT INTO findings (uid) VALUES ('x')",
        'TRUNCATE TABLE requests',
        'ALTER TABLE requests DELETE WHERE 1',
        'DROP TABLE requests',
      ])
    })
  })

  test('the analyzer reads everything and writes findings', async () => {
    await as('analyzer', async (clickhouse) => {
      const nowMs = WINDOW.toMs
      const cycle = await runCycle({ clickhouse, window: WINDOW, tuning: TUNING, runId: 'run', nowMs })
      expect(cycle?.findings.length).toBeGreaterThan(0)
      await refuses(clickhouse, [
        "INSERT INTO requests (app_id) VALUES ('x')",
        'TRUNCATE TABLE findings',
        'DROP TABLE apps',
      ])
    })
  })

  test('the reader reads findings and changes nothing', async () => {
    await as('reader', async (clickhouse) => {
      expect((await readFindings(clickhouse)).length).toBeGreaterThan(0)
      await refuses(clickhouse, [
        "INSERT INTO findings (uid) VALUES ('x')",
        'TRUNCATE TABLE analyzer_runs',
        'DROP TABLE apps',
      ])
    })
  })
})
