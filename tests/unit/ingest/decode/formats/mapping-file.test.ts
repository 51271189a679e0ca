/** Mapping files: what they read, and how they are refused. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, describe, expect, test } from 'vitest'

import { RequestRecord } from '#schemas/request-record.ts'

import { loadMappingFile } from '../../../../../services/ingest/decode/formats/mapping-file.ts'

const directory = mkdtempSync(join(tmpdir(), 'sidestep-mapping-'))
afterAll(() => rmSync(directory, { recursive: true }))

function mappingFile(content: unknown): string {
  const path = join(directory, 'mapping.json')
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

const fields = {
  timestamp: { path: 'ts', unit: 's' },
  app_id: ['oauth.client', 'app'],
  client_ip: 'conn.peer',
  method: { path: 'verb', default: 'GET' },
  route: 'path',
  status_code: 'code',
  user_id: 'oauth.user',
  duration_ms: { path: 'took', unit: 'us' },
} as const

describe('a mapping file', () => {
  test('reads fields by path, converts units and falls back to defaults', () => {
    const format = loadMappingFile(mappingFile({ name: 'mine', fields, forwarded_for: 'xff', response_headers: 'out' }))
    const record = format.map(
      {
        ts: '1775738096.123',
        oauth: { client: '-', user: 'u-1' },
        app: 7,
        'conn.peer': '10.0.0.1:443',
        path: '/2/users/1',
        code: '429',
        took: 1500,
        xff: '6.6.6.6, 203.0.113.5',
        out: { 'X-RateLimit-Limit': '15', 'X-RateLimit-Remaining': '0' },
      },
      { trustedHops: 1 },
    )
    expect(record).toEqual({
      timestamp: 1_775_738_096_123,
      app_id: '7',
      client_ip: '203.0.113.5',
      method: 'GET',
      route: '/2/users/1',
      status_code: 429,
      user_id: 'u-1',
      duration_ms: 1.5,
      ratelimit_limit: 15,
      ratelimit_remaining: 0,
    })
    expect(RequestRecord.safeParse(record).success).toBe(true)
    expect(format.name).toBe('mine')
    expect(format.parse).toBeUndefined()
  })

  test.each([
    ['ns', '1775738096123456789', 1_775_738_096_123],
    ['us', '1775738096123000', 1_775_738_096_123],
    ['ms', 1_775_738_096_123, 1_775_738_096_123],
    [undefined, '09/Apr/2026:12:34:56 +0000', 1_775_738_096_000],
    [undefined, '2026-04-09T12:34:56Z', '2026-04-09T12:34:56Z'],
    ['s', '2026-04-09T12:34:56Z', '2026-04-09T12:34:56Z'],
  ])('reads a timestamp in %s', (unit, ts, expected) => {
    const format = loadMappingFile(mappingFile({ fields: { ...fields, timestamp: { path: 'ts', unit } } }))
    expect(format.map({ ts, code: 200 }, { trustedHops: 0 })?.['timestamp']).toBe(expected)
  })

  test('reads logfmt lines', () => {
    const format = loadMappingFile(mappingFile({ parse: 'logfmt', fields }))
    const entry = format.parse?.(String.raw`ts=1775738096 app="a \"b\"" code=200 path=/x`)
    expect(entry).toEqual({ ts: '1775738096', app: 'a "b"', code: '200', path: '/x' })
    expect(format.map(entry ?? {}, { trustedHops: 0 })?.['app_id']).toBe('a "b"')
  })

  test('takes an object that has none of its fields for something else', () => {
    const format = loadMappingFile(mappingFile({ fields }))
    expect(format.map({ level: 'info', msg: 'started' }, { trustedHops: 0 })).toBeUndefined()
  })
})

describe('a mapping file that cannot work is refused, naming the file and the field', () => {
  test.each([
    ['{', /mapping\.json: .*JSON/],
    [{ fields: {} }, /fields\.timestamp: is required.*fields\.status_code: is required/],
    [{ fields: { ...fields, appid: 'x' } }, /appid/],
    [{ fields: { ...fields, route: { path: 'p', unit: 'ms' } } }, /fields\.route: takes no unit/],
    [{ fields: { ...fields, duration_ms: { path: 'p', unit: 'h' } } }, /fields\.duration_ms\.unit/],
    [{ fields: { ...fields, user_id: {} } }, /fields\.user_id: needs a path or a default/],
    [{ fields: { ...fields, route: 5 } }, /fields\.route/],
    [{ fields: { ...fields, app_id: 'request.headers.authorization' } }, /fields\.app_id: .*holds a secret/],
    [{ fields: { ...fields, credential_id: 'headers.x-api-key' } }, /fields\.credential_id: .*holds a secret/],
    [{ fields, parse: 'xml' }, /parse/],
    [{ fields, forward_for: 'x' }, /forward_for/],
    [[], /mapping\.json/],
  ])('%j', (content, message) => {
    const path = mappingFile(content)
    expect(() => loadMappingFile(path)).toThrow(message)
    expect(() => loadMappingFile(path)).toThrow(path)
  })

  test('a missing file is named', () => {
    expect(() => loadMappingFile(join(directory, 'none.json'))).toThrow(/none\.json/)
  })
})
