import { expect, test } from 'vitest'

import type { BlockInsert, ClickHouse } from '#lib/clickhouse.ts'
import { insertErrorKind } from '#lib/engine-error.ts'

import { insertRows, type RetryPolicy } from '../../../../services/ingest/blocks/insert.ts'

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
