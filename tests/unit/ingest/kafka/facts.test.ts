import { pino } from 'pino'
import { expect, test } from 'vitest'
import { decideStart, type StartOptions } from '../../../../services/ingest/kafka/facts.ts'

const OPTIONS: StartOptions = {
  topic: 't',
  partition: 3,
  facts: { committed: 371, metadata: { kind: 'none' }, low: 0, high: 2151 },
  islands: [
    { source: 't', from: 0, to: 900, last_block_from: 800, last_block_records: 100 },
    { source: 't@2', from: 0, to: 371, last_block_from: 71, last_block_records: 300 },
  ],
  behind: 'rewind',
  readStoredBeyond: async () => await Promise.resolve(undefined),
  outdated: undefined,
  nowMs: 0,
  log: pino({ level: 'silent' }),
}

test('a partition goes on under the latest source that is stored', async () => {
  expect(await decideStart(OPTIONS)).toMatchObject({ source: 't@2', start: { position: 371 } })
})

test('a source that was found to be over is followed by the next one', async () => {
  expect(await decideStart({ ...OPTIONS, outdated: 't@2' })).toMatchObject({ source: 't@3', start: { position: 0 } })
})

test('a source that was found to be over long ago does not end the one that another member has begun since', async () => {
  expect(await decideStart({ ...OPTIONS, outdated: 't' })).toMatchObject({ source: 't@2', start: { position: 371 } })
})

test('a log that ends before what is stored is another one', async () => {
  const facts = { ...OPTIONS.facts, high: 200 }
  expect(await decideStart({ ...OPTIONS, facts })).toMatchObject({ source: 't@3', start: { position: 0 } })
})
