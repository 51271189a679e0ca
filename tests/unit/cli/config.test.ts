import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { SidestepError } from '#lib/errors.ts'

import { isDebug, readConfig } from '../../../cli/config.ts'

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sidestep-config-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

test('without anything set, the embedded engine in ./data is used', () => {
  expect(readConfig({})).toEqual({ clickhouseUrl: undefined, dataDir: './data' })
  expect(readConfig({ CLICKHOUSE_URL: '', DATA_DIR: '', PATH: '/bin' })).toEqual(readConfig({}))
})

test('a secret may come as a file, with or without a newline at its end', () => {
  const file = join(directory, 'url')
  writeFileSync(file, 'https://user:password@host:8443/db\n')
  expect(readConfig({ CLICKHOUSE_URL_FILE: file }).clickhouseUrl).toBe('https://user:password@host:8443/db')
})

/** Message of the usage error that the variables give. */
function usageErrorOf(env: Readonly<Record<string, string>>): string {
  try {
    readConfig(env)
  } catch (error) {
    if (error instanceof SidestepError && error.kind === 'usage') return error.message
    throw error
  }
  return 'no error'
}

test.each<[string, Record<string, string>, string[]]>([
  ['a URL of another kind', { CLICKHOUSE_URL: 'tcp://host:9000' }, ['CLICKHOUSE_URL: must be an http or https URL']],
  [
    'both the secret and its file',
    { CLICKHOUSE_URL: 'http://h', CLICKHOUSE_URL_FILE: '/nothing' },
    ['both set', '/nothing'],
  ],
])('%s is a usage error that names it and shows no value', (_, env, words) => {
  const message = usageErrorOf(env)
  for (const word of words) expect(message).toContain(word)
  expect(message).not.toContain('tcp://')
})

test('stacks are shown only when asked for', () => {
  expect([isDebug({}), isDebug({ SIDESTEP_DEBUG: '0' }), isDebug({ SIDESTEP_DEBUG: '1' })]).toEqual([
    false,
    false,
    true,
  ])
})
