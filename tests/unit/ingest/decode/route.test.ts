/** Routes: what is an id, what is a name, and what holds for any text. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { normaliseRoute } from '../../../../services/ingest/decode/route.ts'

describe('known answers', () => {
  test.each([
    ['/2/users/783214/tweets', '/2/users/:id/tweets'],
    ['/1.1/statuses/show.json?id=210462857140252672', '/1.1/statuses/show.json'],
    ['/1.1/statuses/show/210462857140252672.json', '/1.1/statuses/show/:id.json'],
    ['/2/tweets:search', '/2/tweets:search'],
    ['https://api.example.com:443/2/users/12?x=1#top', '/2/users/:id'],
    ['HTTPS://api.example.com', '/'],
    ['', '/'],
    ['*', '/*'],
    ['users/12/', '/users/:id'],
    ['//users//12', '/users/:id'],
    ['/a/./b/../c', '/a/c'],
    ['/a/%2e%2e/b', '/b'],
    ['/../../etc/passwd', '/etc/passwd'],
    ['/a;jsessionid=1A2B/b', '/a/b'],
  ])('%s is %s', (raw, expected) => {
    expect(normaliseRoute(raw)).toBe(expected)
  })

  test.each([
    ['/users/{id}', '/users/:id'],
    ['/users/{userId}/pets/{petId}', '/users/:userId/pets/:petId'],
    ['/users/<id>', '/users/:id'],
    ['/users/<int:user_id>', '/users/:user_id'],
    ['/users/{id:[0-9]+}', '/users/:id'],
    ['/users/[id]', '/users/:id'],
    ['/{proxy+}', '/:proxy'],
    ['/users/:id', '/users/:id'],
    ['/users/:123', '/users/:id'],
    ['/items/{id}.json', '/items/:id.json'],
    ['/ops/{op}:cancel', '/ops/:op:cancel'],
    ['/{a}-{b}', '/:id'],
  ])('template %s is %s', (raw, expected) => {
    expect(normaliseRoute(raw)).toBe(expected)
  })

  test.each([
    '550e8400-e29b-41d4-a716-446655440000',
    '507f1f77bcf86cd799439011',
    'deadbeefdeadbeef',
    '01ARZ3NDEKTSV4RRFFQ69G5FAV',
    'cus_NffrFeUfNV2Hib',
    'UCuAXFkgsw1L7xaCfnd5JJOw4dQ',
    'jo@example.com',
    'jo%40example.com',
    '@gargron',
    '2026-04-09',
    '12.5',
    '1,2,3',
    '10.0.0.1',
    '2001:db8::1',
    'tt0111161',
    'ABC-12',
    'user-1234',
    'hello%20world',
    '%zz',
    'caf%C3%A9',
    'x'.repeat(65),
  ])('%s is an id', (segment) => {
    expect(normaliseRoute(`/things/${segment}/parts`)).toBe('/things/:id/parts')
  })

  test.each([
    '/v1/chat/completions',
    '/v2beta1/models',
    '/3.0/lists',
    '/2010-04-01/Accounts',
    '/oauth2/token',
    '/convertBase64ToImage',
    '/.well-known/openid-configuration',
    '/google.pubsub.v1.Publisher/CreateTopic',
    '/users/by/username/jack',
    '/x509/rfc7231',
    '/$metadata',
  ])('%s is left alone', (route) => {
    expect(normaliseRoute(route)).toBe(route)
  })

  test('a number is a version only when it stands first and is short', () => {
    expect(normaliseRoute('/2/2/2')).toBe('/2/:id/:id')
    expect(normaliseRoute('/2026/posts')).toBe('/:id/posts')
  })
})

const PIECES =
  '/ // : { } < > [ ] . .. % %2F %2e %20 ; ? # @ - _ ~ v1 2 1.1 123 users id json 2026-04-09 http:// x:y (1) abc-123 A1 é'
const piece = fc.constantFrom(...PIECES.split(' '), ' ', '\u0000', '\ud800')
const path = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.webPath(),
  fc.array(fc.oneof(piece, fc.string({ maxLength: 6 })), { maxLength: 40 }).map((parts) => parts.join('')),
  fc.array(fc.stringMatching(/^[\w.:-]{1,80}$/), { maxLength: 30 }).map((parts) => parts.join('/')),
)
const settings = { seed: 20_260_409, numRuns: 20_000 } as const

describe('for any text', () => {
  test('a route is its own route', () => {
    fc.assert(
      fc.property(path, (raw) => {
        const route = normaliseRoute(raw)
        expect(normaliseRoute(route)).toBe(route)
      }),
      settings,
    )
  })

  test('a route is bounded, begins with a slash, and has no query and no number beyond the first segment', () => {
    fc.assert(
      fc.property(path, (raw) => {
        const route = normaliseRoute(raw)
        expect(route.length).toBeLessThanOrEqual(512)
        expect(route).toMatch(/^\/[^?#%]*$/)
        for (const segment of route.split('/').slice(2)) expect(segment).not.toMatch(/^\d+$/)
      }),
      settings,
    )
  })

  test('ids do not change the route', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 19n }), fc.uuid(), (number, uuid) => {
        expect(normaliseRoute(`/2/users/${number}/lists/${uuid}`)).toBe('/2/users/:id/lists/:id')
      }),
      { seed: 20_260_409 },
    )
  })

  test('a hostile path costs no more than its length', () => {
    const long = `/${'a.'.repeat(500_000)}/${'%41'.repeat(100_000)}`
    const before = process.cpuUsage()
    for (let round = 0; round < 20; round += 1) normaliseRoute(`${long}${round}`)
    // Not by the clock: others may be using the processor.
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(2000)
  })
})
