/** What ARCHITECTURE.md says is held by tests: each invariant is cited by one, and the map has every room. */
import { glob, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** Files by path, below the root. */
async function read(pattern: string): Promise<Map<string, string>> {
  const files = new Map<string, string>()
  for await (const path of glob(pattern, { cwd: ROOT })) files.set(path, await readFile(join(ROOT, path), 'utf8'))
  return files
}

const architecture = await readFile(join(ROOT, 'ARCHITECTURE.md'), 'utf8')
const sectionOf = (title: string): string => architecture.split(/^## /m).find((part) => part.startsWith(title)) ?? ''

/** Numbers that a text cites, one after the word or several. */
function citedIn(text: string): number[] {
  const citations = text.matchAll(/\binvariants? (\d+(?:(?:, | and )\d+)*)/gi)
  return [...citations].flatMap(([, numbers = '']) => numbers.split(/, | and /).map(Number))
}

describe('the invariants', () => {
  const numbers = [...sectionOf('Invariants').matchAll(/^(\d+)\. /gm)].map(([, number]) => Number(number))

  test('are numbered without gaps', () => {
    expect(numbers.length).toBeGreaterThan(10)
    expect(numbers).toEqual(numbers.map((_, index) => index + 1))
  })

  test('are each cited by a test, and no test cites one that there is not', async () => {
    const cited = new Set([...(await read('tests/**/*.test.ts')).values()].flatMap(citedIn))
    expect(numbers.filter((number) => !cited.has(number))).toEqual([])
    expect([...cited].filter((number) => !numbers.includes(number))).toEqual([])
  })
})

describe('the queries of the analysis', () => {
  /** Invariant 8. */
  test('read rollups, and raw rows of the few apps in question only', async () => {
    const queries = await read('sql/queries/{run,snapshot,clusters,findings}/*.sql')
    expect(queries.size).toBeGreaterThan(12)
    const raw = [...queries].filter(([, sql]) => /\b(?:FROM|JOIN) requests\b/.test(sql))
    const open = raw.filter(([, sql]) => !/FROM requests\s+WHERE app_id IN \{\w+:Array\(String\)\}/.test(sql))
    expect(open.map(([path]) => path)).toEqual([])
  })
})

test('the map names every room that holds code', async () => {
  const code = await read('{services,cli,sql,rig,simulate,evaluate,schemas,lib,bench}/**/*.{ts,sql}')
  const rooms = new Set([...code.keys()].flatMap((path) => path.split('/').slice(0, -1)))
  const map = sectionOf('Folders')
  expect([...rooms].filter((room) => !map.includes(`${room}/`))).toEqual([])
})
