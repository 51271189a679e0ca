/** Rows that are cut, found and counted as bytes, against the list of what was put in. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'

import { addDead, addRecord, openBatch, type Batch } from '../../../../services/ingest/blocks/block.ts'
import {
  createRowBuffer,
  DEAD_COLUMNS,
  LANDING_COLUMNS,
  REQUEST_COLUMNS,
} from '../../../../services/ingest/blocks/encode.ts'
import { countRows, encodedRows, offsetAt, rowsByTable, splitRows } from '../../../../services/ingest/blocks/rows.ts'
import { decodeText } from '../../../../services/ingest/decode/decode.ts'
import type { LandingRecord } from '../../../../services/ingest/decode/landing-record.ts'
import { DECODE, FULL_RECORD } from '../../../../rig/requests.ts'

interface Entry {
  readonly offset: number
  readonly isDead: boolean
  readonly text: string
}

function fullRecord(): LandingRecord {
  const decoded = decodeText(JSON.stringify(FULL_RECORD), DECODE)
  if (decoded.kind !== 'accepted') throw new Error('the full record must be accepted')
  return decoded.record
}
const RECORD = fullRecord()

const entries: fc.Arbitrary<Entry[]> = fc
  .array(
    fc.record({
      gap: fc.integer({ min: 1, max: 4 }),
      isDead: fc.boolean(),
      text: fc.string({ unit: fc.constantFrom('\t', '\n', '\\', 'a', 'é', '\0'), maxLength: 12 }),
    }),
    { minLength: 1, maxLength: 30 },
  )
  .map((all) => {
    let offset = -1
    return all.map(({ gap, isDead, text }) => ({ offset: (offset += gap), isDead, text }))
  })

function batchOf(all: readonly Entry[]): Batch {
  const batch = openBatch({ source: 'to\\pic', partition: 3 }, createRowBuffer(64))
  for (const { offset, isDead, text } of all) {
    if (isDead) addDead(batch, offset, { reason: 'not_json', detail: text }, Buffer.from(text), 1)
    else addRecord(batch, offset, { ...RECORD, user_agent: text }, 1)
  }
  return batch
}

const bodyOf = ({ rows }: Batch): Buffer => rows.bytes.subarray(0, rows.length)
const lines = (body: Buffer): string[] => body.toString('latin1').split('\n').slice(0, -1)

test('every row is found with its offset, and whether it is dead', () => {
  fc.assert(
    fc.property(entries, (all) => {
      const rows = encodedRows(batchOf(all)).toArray()
      expect(rows.map(({ offset, isDead }) => ({ offset, isDead }))).toEqual(
        all.map(({ offset, isDead }) => ({ offset, isDead })),
      )
    }),
  )
})

test('rows of a range are counted, those that are dead apart', () => {
  fc.assert(
    fc.property(entries, fc.nat(100), fc.nat(100), (all, from, to) => {
      const inside = all.filter(({ offset }) => offset >= from && offset < to)
      const dead = inside.filter(({ isDead }) => isDead).length
      expect(countRows(batchOf(all), { from, to })).toEqual({ records: inside.length, dead })
    }),
  )
})

test('two halves are the whole, neither is empty, and the second begins at the offset that is told', () => {
  fc.assert(
    fc.property(entries, (all) => {
      const body = bodyOf(batchOf(all))
      const parts = splitRows(body)
      const { first = Buffer.alloc(0), second = body, middle = all[0]?.offset } = parts ?? {}
      expect(parts === undefined).toBe(all.length === 1)
      expect(Buffer.concat([first, second])).toEqual(body)
      expect(lines(first).length > 0).toBe(all.length > 1)
      expect(offsetAt(second, 0)).toBe(middle)
    }),
  )
})

test('for the tables behind landing each row has the columns of its own table, as landing has them', () => {
  fc.assert(
    fc.property(entries, (all) => {
      const batch = batchOf(all)
      const given = lines(bodyOf(batch)).map((line) => line.split('\t'))
      const tables = rowsByTable(encodedRows(batch).toArray())
      const expected = [
        { table: 'requests', columns: REQUEST_COLUMNS, isDead: false },
        { table: 'dead_requests', columns: DEAD_COLUMNS, isDead: true },
      ]
        .map(({ table, columns, isDead }) => {
          const own = given.filter((_, index) => all[index]?.isDead === isDead)
          const rows = own.map((cells) => columns.map((name) => cells[LANDING_COLUMNS.indexOf(name)]))
          return { table, columns, rows }
        })
        .filter(({ rows }) => rows.length > 0)
      const found = tables.map(({ table, columns, body }) => ({
        table,
        columns,
        rows: lines(body).map((line) => line.split('\t')),
      }))
      expect(found).toEqual(expected)
    }),
  )
})
