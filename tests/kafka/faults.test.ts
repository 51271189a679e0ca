/**
 * The fault suite in short: each fault once, on real processes, a real broker and an engine that can be killed. After each one: raw + dead =
 * produced, no offset twice, every record under its own offset, every rollup equal to the raw table, a ledger without gaps. The long one is
 * `npm run bench -- faults`.
 */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Rng } from '#simulate/random.ts'
import * as faults from '../../rig/faults/faults.ts'
import { SOUND, type Verdict } from '../../rig/faults/invariants.ts'
import { agedValue, goodValue, POISON_KINDS, poisonValue, type KnownRecord } from '../../rig/faults/records.ts'
import type { Stream } from '../../rig/faults/stream.ts'
import { openFaultWorld, type FaultWorld, type StreamOptions } from '../../rig/faults/world.ts'

const rng = new Rng('fault suite')
/** Fast enough for many small blocks, slow enough for a machine that does other things. */
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

test('processes that are killed, frozen, that come and go, hand every record over exactly once', async () => {
  const one = await open({ partitions: 3, services: 2 }, 'members')
  one.production.start(PER_SECOND)
  await faults.killLoop(one, rng.fork('kill'), 3)
  await faults.zombie(one, rng.fork('zombie'))
  await faults.membershipStorm(one, rng.fork('storm'), 2)
  const verdict = await verdictOf(one)
  expect(verdict).toMatchObject(whole(one))
  expect(verdict.raw + verdict.dead).toBe(verdict.produced)
  expect(one.fleet.counts).toEqual({ kills: 3, zombies: 1, joins: 2, leaves: 2 })
})

test('an insert that arrives after another process has recovered its range, or outlasts the session, is stored once', async () => {
  const one = await open({ partitions: 2, services: 1 }, 'late')
  one.production.start(PER_SECOND)
  await faults.lateInsert(world, one)
  await faults.slowInsert(world, one, 'before')
  await faults.slowInsert(world, one, 'after')
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

test('an engine that ends in the middle of an insert, freezes, refuses or hangs up gets each record once', async () => {
  const one = await open({ partitions: 3, services: 1 }, 'engine')
  one.production.start(PER_SECOND)
  for (const how of ['kill', 'stop'] as const) {
    await faults.restartEngine(world, how, rng.fork(how))
    await faults.progress(one, 2)
  }
  await faults.freezeEngine(world, one)
  await faults.injectErrors(world)
  expect(await verdictOf(one)).toMatchObject(whole(one))
  expect(world.inserts.injected).toBeGreaterThanOrEqual(15)
  expect(one.fleet.recovery().replays).toBeGreaterThan(0)
})

test('of several blocks at once something else is missing in each table, and every one is completed', async () => {
  // So that the held inserts are still waited for when the last of them is held.
  const env = { SESSION_TIMEOUT_MS: '12000', INSERTS_IN_FLIGHT: '6' }
  const one = await open({ partitions: 6, services: 2, env }, 'doubt')
  one.production.start(PER_SECOND)
  await faults.progress(one, 6)
  for (let time = 0; time < 2; time += 1) {
    expect(await faults.manyInDoubt(world, one, 5)).toBeGreaterThanOrEqual(5)
    await faults.progress(one, 6)
  }
  expect(await verdictOf(one)).toMatchObject(whole(one))
  expect(one.fleet.recovery().repairs).toBeGreaterThanOrEqual(10)
})

test('poison in any place, and 150 days in one block, become dead letters once, also for a group that is moved back', async () => {
  const one = await open({ partitions: 2, services: 1, env: { BATCH_ROWS: '1000', BATCH_SECONDS: '1' } }, 'poison')
  const nowMs = Date.now()
  const records = one.production.take(300).map((number, index): KnownRecord => {
    const isPoison = index < POISON_KINDS || (index >= 150 && index < 150 + POISON_KINDS) || index >= 300 - POISON_KINDS
    return isPoison
      ? { entry: -1 - number, value: poisonValue(index, number, nowMs) }
      : { entry: number, value: goodValue(number, nowMs) }
  })
  await one.production.send(0, records)
  const aged = one.production.take(150).map((number, days): KnownRecord => {
    const { value, isDead } = agedValue(number, nowMs, days)
    return { entry: isDead ? -1 - number : number, value }
  })
  await one.production.send(1, aged)
  const dead = 3 * POISON_KINDS + 120
  expect(await verdictOf(one)).toMatchObject({ ...whole(one), dead })
  await one.production.produce(1000)
  await one.settle()
  await faults.moveOffsetsBack(world, one, 0.2)
  await one.production.produce(500)
  expect(await verdictOf(one)).toMatchObject(whole(one))
  expect(one.fleet.logged('ingest.moved_back').length).toBeGreaterThan(0)
})

test('a range that retention cuts while its intent is pending is completed with what Kafka still has', async () => {
  const one = await open({ partitions: 1, services: 1 }, 'cut')
  one.production.start(PER_SECOND)
  await faults.progress(one, 2)
  const { from, low } = await faults.cutPendingRange(world, one, false)
  one.production.start(PER_SECOND)
  await faults.progress(one, 2)
  await faults.cutPendingRange(world, one, true)
  const verdict = await verdictOf(one)
  expect(verdict).toMatchObject(whole(one))
  // The second block had reached the engine; only what Kafka lost before it was stored anywhere is gone.
  expect(verdict.produced - verdict.raw - verdict.dead).toBe(low - from)
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
