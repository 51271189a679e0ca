/** `sidestep evaluate` as a whole process: several worlds, each in an engine of its own, and the published methods beside the detector. */
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'

import { NOTHING } from '../../evaluate/ablation.ts'
import { PEERS } from '../../evaluate/peers/index.ts'
import { WorldSummary } from '../../evaluate/summary.ts'
import { PARTS } from '../../services/analyzer/tuning.ts'

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))
const SIZE = ['--apps', '80', '--requests', '5000']

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sidestep-cli-evaluate-'))
})
afterAll(async () => await rm(directory, { recursive: true, force: true }))

async function evaluate(args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  return await promisify(execFile)(process.execPath, [MAIN, 'evaluate', ...args], {
    env: { PATH: process.env['PATH'], TMPDIR: directory },
    maxBuffer: 16 * 1024 * 1024,
  })
}

const Output = z.object({
  worlds: z.array(
    z.object({ seed: z.int(), card: z.looseObject({ simulation: z.looseObject({ world: z.string() }) }) }),
  ),
  summaries: z.array(WorldSummary),
})

test('kinds of worlds are evaluated one after the other, and nothing of one is left in the next or behind', async () => {
  const several = await evaluate(['--world', 'tidy,benign', '--seed', '5', '--peers', '--json', ...SIZE])
  const { worlds, summaries } = Output.parse(JSON.parse(several.stdout))
  expect(worlds.map(({ seed, card }) => `${card.simulation.world} ${seed}`)).toEqual(['tidy 5', 'benign 5'])
  expect(summaries.map(({ world, seeds }) => `${world} ${seeds.join()}`)).toEqual(['tidy 5', 'benign 5'])
  for (const { methods } of summaries) {
    expect(methods.map(({ method }) => method)).toEqual(['sidestep', ...PEERS.map(({ name }) => name)])
  }
  const alone = await evaluate(['--world', 'benign', '--seed', '5', '--json', ...SIZE])
  expect(Output.parse(JSON.parse(alone.stdout)).worlds).toEqual(worlds.slice(1))
  expect(await readdir(directory)).toEqual([])
}, 300_000)

test('parts are left out, each of the others in turn too, and the results are kept as they are printed', async () => {
  const save = join(directory, 'results.json')
  const args = ['--seed', '5', '--without', 'groups,hand_over', '--ablate', '--save', save, '--json', ...SIZE]
  const { stdout } = await evaluate(args)
  const [summary] = Output.parse(JSON.parse(stdout)).summaries
  const others = PARTS.filter((part) => part !== 'groups' && part !== 'hand_over')
  expect(summary?.ablations.map(({ without }) => without)).toEqual([NOTHING, ...others])
  expect(await readFile(save, 'utf8')).toBe(stdout)
  await rm(save)
}, 300_000)

test('what a user cannot ask for is refused with what is possible', async () => {
  await expect(evaluate(['--world', 'sunny'])).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('tidy, hard, benign'),
  })
  await expect(evaluate(['--without', 'everything'])).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('groups, hand_over'),
  })
  await expect(evaluate(['--scenarios', 'nonsense', ...SIZE])).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--list-scenarios'),
  })
  await expect(evaluate(['--traffic', join(directory, 'nothing')])).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('truth.json is missing'),
  })
})
