/** What an entry of the registry may look like without its app losing its owner. */
import { expect, test } from 'vitest'

import { parseApp } from '../../../../services/ingest/registry/app-row.ts'

const ENTRY = { app_id: 'c-1', owner_id: 'o-1', name: 'A', created_at: '2026-01-01T00:00:00Z' } as const

function parse(change: Record<string, unknown>): ReturnType<typeof parseApp> {
  return parseApp(JSON.stringify({ ...ENTRY, ...change }))
}

test.each<[string, Record<string, unknown>, Record<string, unknown>, RegExp]>([
  ['101 callbacks', { callback_urls: Array(101).fill('https://a.test/') }, {}, /first 100 of 101/],
  [
    'a callback that is a number',
    { callback_urls: ['https://a.test/', 5] },
    { callback_urls: ['https://a.test/'] },
    /1 of 2/,
  ],
  ['one callback that is no list', { callback_urls: 'https://a.test/' }, { callback_urls: ['https://a.test/'] }, /^$/],
  ['a tier that is an object', { tier: {} }, { tier: '' }, /tier was left out: it must be text, found an object/],
  ['a website of 3,000 characters', { website: 'w'.repeat(3000) }, { website: 'w'.repeat(2048) }, /website was cut/],
  ['a limit that is a word', { limits: { '/a': 'many', '/b': 5 } }, { limits: { '/b': 5 } }, /limits: 1/],
  ['no name', { name: null }, { name: '' }, /^$/],
  ['bytes that were no UTF-8', { name: 'caf\ufffd' }, { name: 'caf\ufffd' }, /name holds bytes that are not UTF-8/],
])('%s is no reason to drop the app', (_, change, app, note) => {
  const parsed = parse(change)
  expect(parsed).toMatchObject({ app: { app_id: 'c-1', owner_id: 'o-1', ...app } })
  expect('notes' in parsed ? parsed.notes.join('; ') : 'dropped').toMatch(note)
})

test.each<[unknown, number, RegExp]>([
  [1_674_035_962, 1_674_035_962_000, /looks like seconds/],
  [1_674_035_962_000, 1_674_035_962_000, /^$/],
  ['1674035962', 1_674_035_962_000, /looks like seconds/],
  ['2026-01-01', Date.UTC(2026, 0, 1), /date only/],
  ['2026-01-01T05:30:00+0530', Date.UTC(2026, 0, 1), /^$/],
])('created_at %j is %i', (value, createdAtMs, note) => {
  const parsed = parse({ created_at: value })
  expect(parsed).toMatchObject({ createdAtMs })
  expect('notes' in parsed ? parsed.notes.join('; ') : 'dropped').toMatch(note)
})

test.each<[string, Record<string, unknown>, RegExp]>([
  ['a time without a zone', { created_at: '2026-01-01T00:00:00' }, /created_at must be .* found text of 19 characters/],
  ['a day that does not exist', { created_at: '2026-02-30' }, /created_at/],
  ['microseconds', { created_at: 1_674_035_962_000_000 }, /created_at/],
  ['no owner', { owner_id: '-' }, /owner_id is missing/],
  ['an owner that is damaged', { owner_id: 'caf\ufffd' }, /owner_id is not valid Unicode/],
  ['an app id of 129 characters', { app_id: 'a'.repeat(129) }, /app_id has more than 128/],
])('%s is refused with its reason', (_, change, problem) => {
  expect(parse(change)).toMatchObject({ problem: expect.stringMatching(problem) })
})

test('numeric ids are exact', () => {
  const text = JSON.stringify(ENTRY).replace('"c-1"', '1234567890123456789').replace('"o-1"', '1834567890123456788')
  expect(parseApp(text)).toMatchObject({ app: { app_id: '1234567890123456789', owner_id: '1834567890123456788' } })
})
