import { expect, test } from 'vitest'

import type { BlockInsert, ClickHouse } from '#lib/clickhouse.ts'
import { insertErrorKind } from '#lib/engine-error.ts'

import { addDead, openBatch, type Batch } from '../../../../services/ingest/blocks/block.ts'
import { createRowBuffer, type RowBuffer } from '../../../../services/ingest/blocks/encode.ts'
import { createWriter, insertRows, type RetryPolicy } from '../../../../services/ingest/blocks/insert.ts'

const INSERT: BlockInsert = { table: 'landing', columns: ['source'], body: Buffer.from('x\n'), token: 't' }

function coded(code: string, message = 'x'): Error {
  return Object.assign(new Error(message), { code })
}

async function unused(): Promise<never> {
  return await Promise.reject(new Error('not used'))
}

/** A ClickHouse of which only inserts are used: each fails with the next of `errors`, if there is one. */
function failing(errors: readonly unknown[]): { clickhouse: ClickHouse; inserts: BlockInsert[] } {
  const inserts: BlockInsert[] = []
  const insertBlock = async (insert: BlockInsert): Promise<void> => {
    const error = errors[inserts.length]
    inserts.push(insert)
    if (error !== undefined) await Promise.reject(error)
  }
  const clickhouse: ClickHouse = {
    kind: 'server',
    query: unused,
    select: unused,
    run: unused,
    command: unused,
    close: unused,
    insertBlock,
  }
  return { clickhouse, inserts }
}

function patient(pauses: number[]): RetryPolicy {
  return {
    attempts: 5,
    firstPauseMs: 100,
    pauseMaxMs: 300,
    pause: async (milliseconds) => {
      pauses.push(milliseconds)
      await Promise.resolve()
    },
  }
}

test('an error that passes is retried with the same statement and token, with growing pauses', async () => {
  const pauses: number[] = []
  const { clickhouse, inserts } = failing([
    coded('ECONNRESET'),
    new Error('Timeout error.'),
    coded('210'),
    coded('241'),
  ])
  await insertRows(clickhouse, INSERT, patient(pauses))
  expect(inserts).toEqual([INSERT, INSERT, INSERT, INSERT, INSERT])
  expect(pauses).toEqual([100, 200, 300, 300])
})

test('after the last try the error is thrown, never dropped', async () => {
  const { clickhouse, inserts } = failing(Array.from({ length: 9 }, () => coded('ECONNREFUSED', 'refused')))
  await expect(insertRows(clickhouse, INSERT, patient([]))).rejects.toThrow('refused')
  expect(inserts).toHaveLength(5)
})

test.each([
  ['a row that does not parse', coded('27')],
  ['a table that is missing', coded('60')],
  ['a bug', new TypeError('x is not a function')],
])('%s is not retried', async (_, error) => {
  const { clickhouse, inserts } = failing([error])
  await expect(insertRows(clickhouse, INSERT, patient([]))).rejects.toBe(error)
  expect(inserts).toHaveLength(1)
})

test.each([
  ['the server client', coded('241'), 'passing'],
  ['the embedded engine', Object.assign(new Error('x'), { code: 'CHDB_INSERT', clickhouseCode: 41 }), 'data'],
  ['a cause', new Error('x', { cause: coded('60') }), 'fatal'],
  ['a socket', new Error('x', { cause: coded('EPIPE') }), 'passing'],
  ['anything', 'text', 'fatal'],
])('the error of %s is told by its code', (_, error, kind) => {
  expect(insertErrorKind(error)).toBe(kind)
})

function batchOf(rows: RowBuffer, from: number): Batch {
  const batch = openBatch({ source: 's', partition: 0 }, rows)
  addDead(batch, from, { reason: 'not_json', detail: 'x' }, Buffer.from('y'), 1)
  return batch
}

test('the reader waits for a free buffer, and no buffer is filled while it is being stored', async () => {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>()
  const seen: string[] = []
  const { clickhouse } = failing([])
  const slow: ClickHouse = {
    ...clickhouse,
    insertBlock: async (insert) => {
      const before = Buffer.from(insert.body)
      await gate
      expect(Buffer.from(insert.body)).toEqual(before)
      seen.push(insert.token)
    },
  }
  const stored: number[] = []
  const writer = createWriter({ clickhouse: slow, inFlightMax: 1, onStored: (batch) => stored.push(batch.from) })
  await writer.write(batchOf(await writer.room(), 0))
  const second = batchOf(await writer.room(), 1)
  let isWritten = false
  const write = async (): Promise<void> => {
    await writer.write(second)
    isWritten = true
  }
  const writing = write()
  await new Promise((resolve) => setImmediate(resolve))
  expect(isWritten).toBe(false)
  open()
  await writing
  await writer.write(batchOf(await writer.room(), 2))
  await writer.drain()
  expect(seen).toEqual(['s/0/0-1', 's/0/1-2', 's/0/2-3'])
  expect(stored).toEqual([0, 1, 2])
})

test('never more inserts at a time than allowed', async () => {
  let running = 0
  let most = 0
  const { clickhouse } = failing([])
  const counting: ClickHouse = {
    ...clickhouse,
    insertBlock: async () => {
      running += 1
      most = Math.max(most, running)
      await new Promise((resolve) => setImmediate(resolve))
      running -= 1
    },
  }
  for (const inFlightMax of [1, 2, 3]) {
    most = 0
    const writer = createWriter({ clickhouse: counting, inFlightMax, onStored: () => undefined })
    for (let index = 0; index < 12; index += 1) await writer.write(batchOf(await writer.room(), index))
    await writer.drain()
    expect(most).toBe(inFlightMax)
  }
})

test('an insert that fails is thrown to the reader, and later blocks are not lost in silence', async () => {
  const { clickhouse } = failing([coded('60', 'no table')])
  const writer = createWriter({ clickhouse, inFlightMax: 1, onStored: () => undefined, retry: patient([]) })
  await writer.write(batchOf(await writer.room(), 0))
  await expect(writer.drain()).rejects.toThrow('cannot store block s/0/0-1: no table')
  await expect(writer.room()).rejects.toThrow('no table')
})

test('rows that are given back can be taken again', async () => {
  const { clickhouse } = failing([])
  const writer = createWriter({ clickhouse, inFlightMax: 1, onStored: () => undefined })
  const rows = await writer.room()
  writer.giveBack(rows)
  expect(await writer.room()).toBe(rows)
  expect(createRowBuffer(10).bytes).toHaveLength(10)
})
