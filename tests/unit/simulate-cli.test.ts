import { spawn } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, expect, it } from 'vitest'

const SCRIPT = `import { simulateCommand } from './cli/commands/simulate.ts'
await simulateCommand().parseAsync(process.argv.slice(1), { from: 'user' })`

interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the command; `ready` says when to interrupt it. */
async function run(args: readonly string[], ready?: () => Promise<boolean>): Promise<Outcome> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', SCRIPT, '--', ...args])
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const code = new Promise<number | null>((resolve) => child.once('close', (status) => resolve(status)))
  if (ready !== undefined) {
    while (child.exitCode === null && !(await ready())) await setTimeout(5)
    child.kill('SIGINT')
  }
  return { code: await code, stdout, stderr }
}

const dir = await mkdtemp(join(tmpdir(), 'sidestep-simulate-cli-'))
afterAll(async () => await rm(dir, { recursive: true }))

it('writes three files and a summary of three lines', async () => {
  const out = join(dir, 'small')
  const { code, stdout, stderr } = await run(['--out', out, '--apps', '50', '--requests', '2000'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout.trimEnd().split('\n')).toHaveLength(3)
  expect((await readdir(out)).toSorted()).toEqual(['apps.ndjson', 'requests.ndjson', 'truth.json'])
})

it('lists its scenarios, and ends its help with an example', async () => {
  const [list, help] = await Promise.all([run(['--list-scenarios']), run(['--help'])])
  expect(list.stdout).toMatch(/^round_robin_single_owner +violation +\S/m)
  expect(list.stdout).toMatch(/^behind_shared_hub +violation, held out +\S/m)
  expect(help.stdout.trimEnd()).toMatch(
    /Examples:\n( +\$ sidestep simulate --out .*\n)+ +\$ sidestep simulate --kafka .*$/,
  )
  expect([list.code, help.code]).toEqual([0, 0])
})

it('answers a bad option with one line and exit code 2', async () => {
  const file = join(dir, 'a-file')
  await writeFile(file, '')
  const wrong = [
    ['--out', file],
    [],
    ['--out', dir, '--apps', 'many'],
    ['--out', dir, '--scenarios', 'no_such'],
    ['--out', dir, '--wat'],
    ['--out', dir, '--world', 'flat'],
    ['--out', dir, '--strength', 'bold'],
  ]
  const outcomes = await Promise.all(wrong.map((args) => run(args)))
  for (const [index, outcome] of outcomes.entries()) {
    const lines = outcome.stderr.trimEnd().split('\n').length
    expect({ args: wrong[index], code: outcome.code, lines, stdout: outcome.stdout }).toEqual({
      args: wrong[index],
      code: 2,
      lines: 1,
      stdout: '',
    })
  }
})

it('stops at Ctrl-C with exit code 130 and says that the output is incomplete', { timeout: 20_000 }, async () => {
  const out = join(dir, 'stopped')
  const started = async (): Promise<boolean> =>
    (await readdir(dir, { recursive: true })).includes(join('stopped', 'requests.ndjson'))
  const outcome = await run(['--out', out, '--requests', '6000000', '--apps', '200', '--hours', '240'], started)
  expect(outcome.code).toBe(130)
  expect(outcome.stderr).toContain('incomplete')
  expect(await readdir(out)).not.toContain('truth.json')
})
