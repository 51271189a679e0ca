/**
 * Many blocks in doubt at once, on the real engine: of each one something else is missing, in every table that ingest fills, and all of them are
 * recovered at the same time while others are inserted. Afterwards every record is stored once and the ledger counts it once.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'

import { Rng } from '#simulate/random.ts'

import { addDead, addRecord, openBatch, type Batch } from '../../services/ingest/blocks/block.ts'
import { createRowBuffer } from '../../services/ingest/blocks/encode.ts'
import { DEFAULT_RETRY, insertBatch } from '../../services/ingest/blocks/insert.ts'
import { decodeText } from '../../services/ingest/decode/decode.ts'
import { createRangeStore } from '../../services/ingest/recovery/range-store.ts'
import { recoveryOf } from '../../services/ingest/recovery/recovery.ts'
import { DECODE, numberedRecord } from '../../rig/requests.ts'
import { openTemporaryEngine, type TemporaryEngine } from '../support/temporary-engine.ts'
import { assertConsistent } from '../support/totals.ts'

let engine: TemporaryEngine
beforeAll(async () => {
  engine = await openTemporaryEngine()
})
afterAll(async () => await engine.remove())

const RECORDS = 40

/** Offsets [from, to) of a partition; every seventh is dead. All blocks fall into the same hours and apps. */
function block(source: string, partition: number, from = 0, to = RECORDS): Batch {
  const batch = openBatch({ source, partition }, createRowBuffer(1024))
  for (let offset = from; offset < to; offset += 1) {
    const decoded = decodeText(JSON.stringify(numberedRecord(offset)), DECODE)
    if (decoded.kind === 'dead' || offset % 7 === 3) {
      addDead(batch, offset, { reason: 'not_json', detail: 'poison' }, Buffer.from('x'), 1)
    } else addRecord(batch, offset, decoded.record, 1)
  }
  return batch
}

async function insert(batch: Batch): Promise<void> {
  await insertBatch(engine.clickhouse, batch, DEFAULT_RETRY)
}

/** What a kill left of a block: rows that are gone again although their tokens are known, by table. */
interface Loss {
  readonly name: string
  /** The block was inserted as it is, in two parts under tokens that nobody knows any more, or not at all. */
  readonly inserted: 'whole' | 'parts' | 'not'
  readonly lost: Readonly<Partial<Record<'requests' | 'dead_requests' | 'ingest_ledger', string>>>
}

const LOSSES: readonly Loss[] = [
  { name: 'nothing was inserted', inserted: 'not', lost: {} },
  { name: 'all is there', inserted: 'whole', lost: {} },
  { name: 'records', inserted: 'whole', lost: { requests: '1' } },
  { name: 'some records', inserted: 'whole', lost: { requests: 'offset >= 20' } },
  { name: 'dead letters', inserted: 'whole', lost: { dead_requests: '1' } },
  { name: 'the ledger', inserted: 'whole', lost: { ingest_ledger: '1' } },
  { name: 'records and dead letters', inserted: 'whole', lost: { requests: '1', dead_requests: '1' } },
  { name: 'all but the dead letters', inserted: 'whole', lost: { requests: '1', ingest_ledger: '1' } },
  { name: 'everything', inserted: 'whole', lost: { requests: '1', dead_requests: '1', ingest_ledger: '1' } },
  { name: 'two parts', inserted: 'parts', lost: {} },
  { name: 'the second part', inserted: 'parts', lost: { requests: 'offset >= 15', dead_requests: 'offset >= 15' } },
  {
    name: 'pieces of both parts',
    inserted: 'parts',
    lost: { requests: 'offset % 3 = 0', dead_requests: 'offset < 20', ingest_ledger: 'offset_from = 0' },
  },
  { name: 'the ledger of the second part', inserted: 'parts', lost: { ingest_ledger: 'offset_from > 0' } },
]

async function damage(source: string, partition: number, { inserted, lost }: Loss): Promise<void> {
  const parts = inserted === 'parts' ? [block(source, partition, 0, 15), block(source, partition, 15)] : []
  for (const part of inserted === 'whole' ? [block(source, partition)] : parts) await insert(part)
  for (const [table, rows] of Object.entries(lost)) {
    const where = `source = '${source}' AND partition = ${partition} AND ${rows}`
    await engine.clickhouse.command(`ALTER TABLE ${table} DELETE WHERE ${where} SETTINGS mutations_sync = 2`)
  }
}

async function recover(batch: Batch, loss: Loss): Promise<void> {
  const store = createRangeStore(engine.clickhouse, DEFAULT_RETRY)
  const pause = async (): Promise<void> => await Promise.resolve()
  const options = { isSameRange: loss.inserted !== 'parts', pause, onRepair: () => undefined }
  await recoveryOf(store, batch, options)()
}

test.each([1, 2, 3])(
  'whatever is missing of a dozen blocks at once, all of them are completed exactly: order %d',
  async (seed) => {
    const source = `doubt-${seed}`
    const rng = new Rng(`doubt ${seed}`)
    for (const [partition, loss] of LOSSES.entries()) await damage(source, partition, loss)
    const others = Array.from({ length: 4 }, (_, index) => block(`${source}-other`, index))
    const work = [
      ...LOSSES.entries().map(
        ([partition, loss]) =>
          async () =>
            await recover(block(source, partition), loss),
      ),
      ...others.map((other) => async () => await insert(other)),
    ]
    await Promise.all(rng.shuffle(work).map(async (run) => await run()))
    const totals = await assertConsistent(engine.clickhouse)
    expect(totals.raw + totals.dead).toBe(seed * (LOSSES.length + others.length) * RECORDS)
    // An insert of an earlier owner that arrives only now, and a recovery that is repeated, change nothing.
    for (const [partition, loss] of LOSSES.entries()) {
      if (loss.inserted !== 'parts') await insert(block(source, partition))
      await recover(block(source, partition), loss)
    }
    expect(await assertConsistent(engine.clickhouse)).toEqual(totals)
  },
)
