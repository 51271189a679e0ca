/**
 * Known answers: for each format, lines in the shape that the gateway documents, and the record that a person read out
 * of each. tests/support/samples/<format>.expected.ndjson holds, line by line: trusted hops, the record (null: not a
 * request), and whether the record is complete enough to be accepted.
 */
import { readFileSync } from 'node:fs'

import { describe, expect, test } from 'vitest'
import { z } from 'zod'

import { REQUEST_FIELDS, RequestRecord } from '#schemas/request-record.ts'

import { isObject } from '../../../../../services/ingest/decode/formats/values.ts'
import type { JsonObject, LogFormat } from '../../../../../services/ingest/decode/formats/format.ts'
import { FormatName, FORMATS } from '../../../../../services/ingest/decode/formats/index.ts'
import { normaliseRoute } from '../../../../../services/ingest/decode/route.ts'

const Expected = z.object({
  hops: z.int(),
  valid: z.boolean(),
  record: z.record(z.string(), z.unknown()).nullable(),
})

function linesOf(file: string): string[] {
  const url = new URL(`../../../../support/samples/${file}`, import.meta.url)
  return readFileSync(url, 'utf8').trimEnd().split('\n')
}

function parse(format: LogFormat, line: string): JsonObject | undefined {
  if (format.parse !== undefined && !line.startsWith('{')) return format.parse(line)
  try {
    const parsed: unknown = JSON.parse(line)
    return isObject(parsed) ? parsed : undefined
  } catch {
    return undefined
  }
}

/** What decode.ts does after a format: one spelling of the route. */
function withRoute(record: JsonObject | undefined): JsonObject | undefined {
  const route = record?.['route']
  return typeof route === 'string' ? { ...record, route: normaliseRoute(route) } : record
}

describe.each(FormatName.options)('%s', (name) => {
  const format = FORMATS[name]
  const samples = linesOf(`${name}.${name === 'nginx' ? 'txt' : 'ndjson'}`)
  const answers = linesOf(`${name}.expected.ndjson`).map((line) => Expected.parse(JSON.parse(line)))

  test('has an answer for every sample line', () => {
    expect(answers).toHaveLength(samples.length)
    expect(samples.length).toBeGreaterThanOrEqual(15)
  })

  test.each(samples.map((sample, index) => [index + 1, sample] as const))(
    'reads line %i as a person would',
    (line, sample) => {
      const answer = answers[line - 1]
      const entry = parse(format, sample)
      const record = withRoute(entry === undefined ? undefined : format.map(entry, { trustedHops: answer?.hops ?? 0 }))
      expect(record).toEqual(answer?.record ?? undefined)
      expect(RequestRecord.safeParse(record).success).toBe(answer?.valid)
    },
  )

  test('gives only fields of a request record', () => {
    if (name === 'sidestep') return
    for (const sample of samples) {
      const entry = parse(format, sample)
      const record = entry === undefined ? undefined : format.map(entry, { trustedHops: 1 })
      for (const key of Object.keys(record ?? {})) expect(REQUEST_FIELDS).toContain(key)
    }
  })

  test('never lets a secret through', () => {
    for (const sample of samples) {
      const entry = parse(format, sample)
      const record = entry === undefined ? undefined : format.map(entry, { trustedHops: 1 })
      expect(JSON.stringify(record ?? {})).not.toMatch(/SECRET|MustNeverLeak/)
    }
  })
})

test("sidestep's own format copies nothing", () => {
  const entry = { app_id: 'a' }
  expect(FORMATS.sidestep.map(entry, { trustedHops: 0 })).toBe(entry)
})

test('every format is named as it is asked for', () => {
  for (const name of FormatName.options) expect(FORMATS[name].name).toBe(name)
})
