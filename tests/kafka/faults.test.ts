/**
 * The fault suite in short: each fault once, on real processes, a real broker and an engine that can be killed. After each one: raw + dead =
 * produced, no offset twice, every record under its own offset, every rollup equal to the raw table, a ledger without gaps. The long one is
 * `npm run bench -- faults`.
 */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Rng } from '#simulate/random.ts'
import * as faults from '../support/faults/faults.ts'
import { SOUND, type Verdict } from '../support/faults/invariants.ts'
import { agedValue, goodValue, POISON_KINDS, poisonValue, type KnownRecord } from '../support/faults/records.ts'
import type { Stream } from '../support/faults/stream.ts'
import { openFaultWorld, type FaultWorld, type StreamOptions } from '../support/faults/world.ts'

const rng = new Rng('fault suite')
const PER_SECOND = 600
let world: FaultWorld
let stream: Stream

beforeAll(async () => {
  world = await openFaultWorld()
})

afterEach(async () => {
  await stream.close()
})

afterAll(async () => {
  await world.close()
})

async function open(options: Pick<StreamOptions, 'partitions' | 'services' | 'env'>, label: string): Promise<Stream> {
  stream = await world.stream({ ...options, rng: rng.fork(label), poisonShare: 0.02 })
  return stream
}

/** Ends production, and compares when all is stored. No process may have ended by itself. */
async function verdictOf(one: Stream): Promise<Verdict> {
  await one.production.stop()
  const verdict = await one.verdict()
  expect(one.fleet.unexpected).toEqual([])
  return verdict
}

function whole(one: Stream): object {
  return { ...SOUND, produced: one.oracle.records() }
}

test('kill -9 at any moment loses nothing and doubles nothing', async () => {
  const one = await open({ partitions: 3, services: 2 }, 'kill')
  one.production.start(PER_SECOND)
  await faults.killLoop(one, rng.fork('kill loop'), 4)
  const verdict = await verdictOf(one)
  expect(verdict).toMatchObject(whole(one))
  expect(verdict.raw + verdict.dead).toBe(verdict.produced)
  expect(one.fleet.counts.kills).toBe(4)
})

test('a process that was frozen beyond its session and wakes up changes nothing that its heirs have stored', async () => {
  const one = await open({ partitions: 3, services: 2 }, 'zombie')
  one.production.start(PER_SECOND)
  await faults.zombie(one, rng.fork('zombie'))
  expect(await verdictOf(one)).toMatchObject(whole(one))
})

test('the insert of a frozen process that arrives after its range was recovered is dropped', async () => {
  const one = await open({ partitions: 1, services: 1 }, 'late')
  one.production.start(PER_SECOND)
  await faults.lateInsert(world, one)
  expect(await verdictOf(one)).toMatchObject(whole(one))
  expect(one.fleet.recovery().replays).toBeGreaterThan(0)
})

test('processes that join and leave hand partitions over exactly', async () => {
  const one = await open({ partitions: 4, services: 2 }, 'storm')
  one.production.start(PER_SECOND)
  await faults.membershipStorm(one, rng.fork('storm'), 3)
  expect(await verdictOf(one)).toMatchObject(whole(one))
})

test('a broker that restarts, in order or after kill -9, is waited for', async () => {
  const one = await open({ partitions: 3, services: 2 }, 'broker')
  one.production.start(PER_SECOND)
  await faults.progress(one, 2)
  await faults.restartBroker(world, 'stop')
  await faults.progress(one, 2)
  await faults.restartBroker(world, 'kill')
  await faults.progress(one, 2)
  expect(await verdictOf(one)).toMatchObject(whole(one))
})

test('an engine that ends in the middle of an insert, or freezes, gets each record once when it is back', async () => {
  const one = await open({ partitions: 3, services: 1 }, 'engine')
  one.production.start(PER_SECOND)
  for (const how of ['kill', 'stop', 'kill'] as const) {
    await faults.restartEngine(world, one, how, rng.fork(how))
    await faults.progress(one, 2)
  }
  await faults.freezeEngine(world, one)
  expect(await verdictOf(one)).toMatchObject(whole(one))
})

test('errors of the engine and cut connections, before and after the block was stored, neither lose nor double', async () => {
  const one = await open({ partitions: 3, services: 1 }, 'errors')
  one.production.start(PER_SECOND)
  await faults.injectErrors(world)
  const verdict = await verdictOf(one)
  expect(verdict).toMatchObject(whole(one))
  expect(one.fleet.recovery().replays).toBeGreaterThanOrEqual(15)
})

test('an insert that takes longer than the session lasts is stored once', async () => {
  const one = await open({ partitions: 2, services: 2 }, 'slow')
  one.production.start(PER_SECOND)
  await faults.slowInsert(world, one, 'before')
  await faults.slowInsert(world, one, 'after')
  expect(await verdictOf(one)).toMatchObject(whole(one))
})

test('poison first, in the middle and last, and 150 days in one block, become dead letters and hold nothing up', async () => {
  const one = await open({ partitions: 2, services: 1, env: { BATCH_ROWS: '1000', BATCH_SECONDS: '1' } }, 'poison')
  const nowMs = Date.now()
  const good = (number: number): KnownRecord => ({ entry: number, value: goodValue(number, nowMs) })
  const records = one.production.take(300).map((number, index): KnownRecord => {
    const isPoison = index < POISON_KINDS || (index >= 150 && index < 150 + POISON_KINDS) || index >= 300 - POISON_KINDS
    return isPoison ? { entry: -1 - number, value: poisonValue(index, number, nowMs) } : good(number)
  })
  await one.production.send(0, records)
  const aged = one.production.take(150).map((number, days): KnownRecord => {
    const { value, isDead } = agedValue(number, nowMs, days)
    return { entry: isDead ? -1 - number : number, value }
  })
  await one.production.send(1, aged)
  const verdict = await verdictOf(one)
  expect(verdict).toMatchObject({ ...whole(one), dead: 3 * POISON_KINDS + 120 })
})

test('a group that is moved back reads again and stores nothing again', async () => {
  const one = await open({ partitions: 2, services: 1 }, 'back')
  await one.production.produce(2000)
  await one.settle()
  await faults.moveOffsetsBack(world, one, 0.4)
  await one.production.produce(500)
  expect(await verdictOf(one)).toMatchObject(whole(one))
  expect(one.fleet.logged('ingest.moved_back').length).toBeGreaterThan(0)
})

test.each([
  ['was not stored', false],
  ['was stored', true],
])('a range that retention cuts while its intent is pending, and that %s, is completed with what Kafka still has', async (_, reached) => {
  const one = await open({ partitions: 1, services: 1 }, `cut ${reached}`)
  one.production.start(PER_SECOND)
  await faults.progress(one, 2)
  const cut = await faults.cutPendingRange(world, one, reached)
  await one.production.produce(300)
  const verdict = await verdictOf(one)
  expect(verdict).toMatchObject(whole(one))
  const missing = verdict.produced - verdict.raw - verdict.dead
  expect(missing).toBe(reached ? 0 : cut.low - cut.from)
})

test('a topic that is deleted and created anew is stored beside the first', async () => {
  const one = await open({ partitions: 2, services: 1 }, 'anew')
  await one.production.produce(2000)
  await one.settle()
  await one.recreate()
  await one.production.produce(800)
  await one.settle()
  await one.production.produce(3000)
  const verdict = await verdictOf(one)
  expect(verdict).toMatchObject({ ...SOUND, produced: 5800 })
  expect(verdict.raw + verdict.dead).toBe(5800)
})
