/**
 * The rooms of the house may see each other only as ARCHITECTURE says (invariant 17), and services get the clock passed in (invariant 18): what is planted
 * against it must fail `npm run check`.
 */
import { execFile } from 'node:child_process'
import { copyFile, glob, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const OXLINT = join(ROOT, 'node_modules/.bin/oxlint')

let house = ''
beforeAll(async () => {
  house = await mkdtemp(join(tmpdir(), 'sidestep-boundaries-'))
  await copyFile(join(ROOT, '.oxlintrc.json'), join(house, '.oxlintrc.json'))
})
afterAll(async () => {
  await rm(house, { recursive: true, force: true })
})

/** What the linter says of one file with this text at this path of the house. */
async function lint(path: string, text: string): Promise<string> {
  const file = join(house, path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
  const run = promisify(execFile)(OXLINT, ['-c', '.oxlintrc.json', path], { cwd: house })
  const said = await run.then(
    ({ stdout }) => stdout,
    (error: unknown) => String(error instanceof Error ? Reflect.get(error, 'stdout') : error),
  )
  await rm(file)
  return said
}

const importing = (specifier: string): string =>
  `import { planted } from '${specifier}'\n\nexport const used = planted\n`

describe('a planted import fails the check', () => {
  test.each([
    ['services/ingest/blocks/planted.ts', '../../analyzer/tuning.ts'],
    ['services/analyzer/run/planted.ts', '../../ingest/config.ts'],
    ['services/ingest/planted.ts', '../analyzer/tuning.ts'],
    ['services/enforcement/sinks/planted.ts', '../../analyzer/findings/store.ts'],
    ['services/analyzer/planted.ts', '../../cli/analysis.ts'],
    ['services/ingest/planted.ts', '#simulate/random.ts'],
    ['lib/planted.ts', '../services/analyzer/tuning.ts'],
    ['schemas/planted.ts', '#lib/errors.ts'],
    ['simulate/planted.ts', '../services/ingest/config.ts'],
    ['evaluate/planted.ts', '../cli/analysis.ts'],
    ['cli/commands/planted.ts', '../../rig/until.ts'],
    ['rig/broker/planted.ts', '../../tests/support/totals.ts'],
  ])('%s -> %s', async (path, specifier) => {
    expect(await lint(path, importing(specifier))).toContain('no-restricted-imports')
  })

  test.each([
    ['services/ingest/kafka/planted.ts', '../blocks/block.ts'],
    ['services/analyzer/run/planted.ts', '#lib/clickhouse.ts'],
    ['cli/commands/planted.ts', '../../services/ingest/main.ts'],
  ])('and one that belongs there does not: %s -> %s', async (path, specifier) => {
    expect(await lint(path, importing(specifier))).not.toContain('no-restricted-imports')
  })
})

describe('a clock of its own fails the check', () => {
  const CLOCKS = ['Date.now()', 'performance.now()', 'globalThis.performance.now()', 'process.hrtime()']
  test.each(CLOCKS)('%s in a service', async (clock) => {
    expect(await lint('services/ingest/kafka/planted.ts', `export const planted = ${clock}\n`)).toContain(
      'no-restricted-properties',
    )
  })

  test('but not in its main, where it is passed in from', async () => {
    expect(await lint('services/ingest/main.ts', 'export const planted = Date.now()\n')).not.toContain('restricted')
  })

  // The linter has no rule for it.
  test('no service asks for the present by new Date()', async () => {
    const asking: string[] = []
    for await (const path of glob('services/**/*.ts', { cwd: ROOT })) {
      if (/\bnew Date(?:\(\)|\b(?!\())/.test(await readFile(join(ROOT, path), 'utf8'))) asking.push(path)
    }
    expect(asking).toEqual([])
  })
})
