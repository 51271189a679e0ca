/** The command line over the ingest path: exit codes, messages, and what is left behind. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { numberedLines } from '../../rig/requests.ts'

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))

let directory: string
let apps: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sidestep-cli-'))
  const rows = Array.from({ length: 17 }, (_, index) => ({
    app_id: `app-${index}`,
    owner_id: `o-${index}`,
    name: `App ${index}`,
    created_at: 0,
  }))
  apps = await file('apps.ndjson', rows.map((row) => JSON.stringify(row)).join('\n'))
})
afterAll(async () => await rm(directory, { recursive: true, force: true }))

async function file(name: string, content: string): Promise<string> {
  const path = join(directory, name)
  await writeFile(path, content)
  return path
}

interface Run {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: string
  /** Called with standard error so far; true ends the process with SIGINT. */
  readonly interruptWhen?: (stderr: string) => boolean
}

/** Runs the program with a temporary directory of its own, which must be empty afterwards. */
async function sidestep(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const temporary = await mkdtemp(join(directory, 'tmp-'))
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env['PATH'], TMPDIR: temporary, ...options.env },
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
    if (options.interruptWhen?.(stderr) === true) child.kill('SIGINT')
  })
  if (options.interruptWhen === undefined) child.stdin.end(options.stdin)
  else child.stdin.write(options.stdin ?? '')
  await once(child, 'close')
  expect(await readdir(temporary)).toEqual([])
  expect(stderr).not.toContain('    at ')
  return { code: child.exitCode, stdout, stderr }
}

test('detect counts what it read, names bad lines, and leaves nothing behind', async () => {
  const requests = await file('some.ndjson', `${numberedLines(0, 500)}not json\n`)
  const run = await sidestep(['detect', '--requests', requests, '--apps', apps])
  expect(run).toMatchObject({ code: 0 })
  expect(run.stderr).toContain('500 stored, 1 dead, 0 duplicate')
  expect(run.stderr).toContain(`${requests}:501: not_json`)
})

test('detect with a data directory reads only what is new', async () => {
  const requests = await file('again.ndjson', numberedLines(1000, 1500))
  const args = ['detect', '--requests', requests, '--apps', apps, '--data-dir', join(directory, 'kept')]
  expect((await sidestep(args)).stderr).toContain('500 stored, 0 dead, 0 duplicate')
  expect((await sidestep(args)).stderr).toContain('0 stored, 0 dead, 500 duplicate')
})

test('detect reads standard input', async () => {
  const run = await sidestep(['detect', '--requests', '-', '--apps', apps], { stdin: numberedLines(0, 300) })
  expect(run.stderr).toContain('300 stored')
})

test.each<[string, (requests: string) => string[], string]>([
  ['no arguments', () => ['detect'], '--requests'],
  ['an unknown command', () => ['detekt'], 'unknown command'],
  [
    'an unknown format',
    (requests) => ['detect', '--requests', requests, '--apps', apps, '--format', 'x'],
    'Allowed choices',
  ],
  [
    'a missing log',
    () => ['detect', '--requests', '/nothing', '--apps', apps],
    'cannot read /nothing: there is no such file',
  ],
  [
    'a missing registry',
    (requests) => ['detect', '--requests', requests, '--apps', '/nothing'],
    'cannot read /nothing',
  ],
  ['a directory', () => ['detect', '--requests', directory, '--apps', apps], 'is a directory'],
  [
    'the wrong format',
    (requests) => ['detect', '--requests', requests, '--apps', apps, '--format', 'nginx'],
    'is --format nginx right?',
  ],
  [
    'a bad number of hops',
    (requests) => ['detect', '--requests', requests, '--apps', apps, '--trusted-hops', '-1'],
    'whole number',
  ],
])('%s is bad usage: exit 2, a message, no stack', async (_, args, words) => {
  const requests = await file('few.ndjson', numberedLines(0, 5))
  const run = await sidestep(args(requests))
  expect(run.code).toBe(2)
  expect(run.stderr).toContain(words)
})

test('every problem of the environment is told at once, without the value', async () => {
  const run = await sidestep(['migrate'], { env: { CLICKHOUSE_URL: 'secret-thing', CLICKHOUSE_URL_FILE: '/nothing' } })
  expect(run.code).toBe(2)
  expect(run.stderr).toContain('CLICKHOUSE_URL and CLICKHOUSE_URL_FILE are both set')
  expect(run.stderr).toContain('/nothing')
  expect(run.stderr).not.toContain('secret-thing')
})

test('a server that does not answer is a failure: exit 1, and what to check', async () => {
  const run = await sidestep(['migrate'], { env: { CLICKHOUSE_URL: 'http://127.0.0.1:9/' } })
  expect(run.code).toBe(1)
  expect(run.stderr).toContain('Check CLICKHOUSE_URL')
})

test('Ctrl-C ends at once while standard input is silent, and removes the temporary directory', async () => {
  const run = await sidestep(['detect', '--requests', '-', '--apps', apps], {
    stdin: numberedLines(0, 300),
    interruptWhen: (stderr) => stderr.includes('apps in the registry') && !stderr.includes('stopping'),
  })
  expect(run.code).toBe(130)
  expect(run.stderr).toContain('stopping after the insert in flight')
})

test('what waits on standard input is not taken for rows by the embedded engine', async () => {
  const args = ['migrate', '--data-dir', join(directory, 'piped')]
  expect(await sidestep(args, { stdin: 'some\tthing\n'.repeat(1000) })).toMatchObject({ code: 0, stderr: '' })
})

test('migrate is safe to repeat', async () => {
  const args = ['migrate', '--data-dir', join(directory, 'migrated')]
  expect((await sidestep(args)).stdout).toContain('applied 001_requests.sql')
  expect((await sidestep(args)).stdout).toBe('nothing to do: the schema is current\n')
})

test('every command shows an example', async () => {
  const help = (await sidestep(['--help'])).stdout
  const commands = [...help.matchAll(/^ {2}([a-z]+) \[options\]/gm)].map((match) => match[1] ?? '')
  expect(commands.length).toBeGreaterThan(2)
  for (const command of commands)
    expect((await sidestep([command, '--help'])).stdout).toMatch(/Examples?:\n {2}\$ .*sidestep/)
})
