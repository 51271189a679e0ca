import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { AppRecord } from '#schemas/app-record.ts'
import { Finding } from '#schemas/finding.ts'
import { RequestRecord } from '#schemas/request-record.ts'

describe('JSON Schema files for people who use other languages', () => {
  test.each([
    ['request-record', RequestRecord],
    ['app-record', AppRecord],
    ['finding', Finding],
  ])('%s.schema.json is what the zod schema says (npm test -- -u writes it anew)', async (name, schema) => {
    const json = `${JSON.stringify(z.toJSONSchema(schema, { io: 'input' }), null, 2)}\n`
    await expect(json).toMatchFileSnapshot(`../../../schemas/json/${name}.schema.json`)
  })
})
