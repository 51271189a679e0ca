/** Formats as tables: each canonical field has its reader, by its own name. `npm run check` compiles the errors expected here. */
import { expect, test } from 'vitest'

import {
  absent,
  FieldName,
  recordReader,
  type FieldTable,
} from '../../../../../services/ingest/decode/formats/fields.ts'
import { field } from '../../../../../services/ingest/decode/formats/paths.ts'
import { absentLimit } from '../../../../../services/ingest/decode/formats/rate-limit.ts'

const complete: FieldTable = {
  timestamp: field('t'),
  app_id: field('app'),
  client_ip: field('ip'),
  method: field('verb'),
  route: field('path'),
  status_code: field('code'),
  user_id: field('user'),
  request_id: absent,
  credential_id: absent,
  user_agent: absent,
  ratelimit: absentLimit,
  duration_ms: absent,
  request_bytes: absent,
  response_bytes: absent,
  host: absent,
  region: absent,
  gateway: absent,
  trace_id: absent,
}

test('a field that is misspelt or left out does not compile', () => {
  // @ts-expect-error: no field is called like this.
  const misspelt: FieldTable = { ...complete, durationMs: absent }
  const { client_ip: _, ...rest } = complete
  // @ts-expect-error: client_ip has no reader.
  const incomplete: FieldTable = rest
  expect([misspelt, incomplete]).toHaveLength(2)
})

test('a table gives every field of a request record and nothing else', () => {
  const record = recordReader(complete)({ t: 1_775_738_096_123, app: 7, code: '200' }, { trustedHops: 0 })
  expect(Object.keys(record).toSorted()).toEqual(FieldName.options.toSorted())
  expect(record).toMatchObject({ timestamp: 1_775_738_096_123, app_id: '7', status_code: 200 })
})

test('a subject that is the application itself is no end user', () => {
  const read = recordReader(complete)
  expect(read({ app: 'app-1', user: 'app-1' }, { trustedHops: 0 }).user_id).toBeUndefined()
  expect(read({ app: 'app-1', user: 'u-1' }, { trustedHops: 0 }).user_id).toBe('u-1')
})
