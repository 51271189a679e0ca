/**
 * What can befall the service, as functions over a stream. Each does its harm and heals it: afterwards broker, engine and the processes of the
 * stream run again, and whatever is wrong then stays wrong.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { z } from 'zod'
import type { Rng } from '#simulate/random.ts'
import type { IngestService } from '../ingest-service.ts'
import { until } from '../until.ts'
import { ENGINE_ERRORS, type HeldInsert } from './insert-faults.ts'
import type { Stream } from './stream.ts'
import type { FaultWorld } from './world.ts'

function pick(stream: Stream, rng: Rng): IngestService {
  return rng.pick(stream.fleet.members())
}

/** Blocks that the processes of a stream have stored so far. */
function blocks(stream: Stream): number {
  return stream.fleet.logged('ingest.stored').length
}

/** Resolves when so many more blocks were stored: the stream lives, and the next harm meets it somewhere else. */
export async function progress(stream: Stream, count: number): Promise<void> {
  const goal = blocks(stream) + count
  await until(() => blocks(stream) >= goal, { what: `${count} more blocks are stored`, everyMs: 5 })
}

/** kill -9 at any moment, so many times; another process takes the place at once. */
export async function killLoop(stream: Stream, rng: Rng, times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    await progress(stream, 1 + rng.below(4))
    await stream.fleet.kill(pick(stream, rng))
    await stream.fleet.add()
  }
}

/** Resolves when the group is made of the processes that run, and of no dead one. */
async function groupIsWhole(stream: Stream): Promise<void> {
  const { fleet } = stream
  await until(async () => (await stream.groupMembers()) === fleet.members().length && fleet.members().every(hasBegun), {
    what: 'the group is made of all processes',
  })
}

async function freeze(stream: Stream, victim: IngestService, whileFrozen: () => Promise<void>): Promise<void> {
  const { fleet } = stream
  const isGone = async (): Promise<boolean> => (await stream.groupMembers()) === fleet.members().length - 1
  const before = victim.of('ingest.joined').length
  await fleet.zombie(victim, isGone, whileFrozen)
  const isBack = (): boolean => victim.of('ingest.joined').length > before
  await until(isBack, { what: 'the zombie has joined the group again' })
}

/** One process is frozen in the middle of its work until the others have its partitions and have stored something, and goes on then. */
export async function zombie(stream: Stream, rng: Rng): Promise<void> {
  await groupIsWhole(stream)
  await progress(stream, 1 + rng.below(3))
  await freeze(stream, pick(stream, rng), async () => await progress(stream, 2))
}

/**
 * The insert of a frozen process reaches the engine after another process has completed its range: it must change nothing.
 * The stream must have one process.
 */
export async function lateInsert(world: FaultWorld, stream: Stream): Promise<void> {
  const held = await world.inserts.hold('before')
  const [victim] = stream.fleet.members()
  if (victim === undefined) throw new Error('no process to freeze')
  // Not in the group before the first one is frozen: it would take the range over in order.
  victim.signal('SIGSTOP')
  const heir = await stream.fleet.add()
  await freeze(stream, victim, async () => {
    await until(() => heir.of('ingest.recovered').length > 0, {
      what: 'the heir has completed the range',
    })
    held.release()
    await progress(stream, 1)
  })
}

function hasBegun(service: IngestService): boolean {
  return service.of('ingest.joined').length > 0
}

/** Processes come and go: one more, one less, in order, so many times. One that has not yet begun may not go: it would not know how. */
export async function membershipStorm(stream: Stream, rng: Rng, times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    stream.fleet.counts.joins += 1
    await stream.fleet.add()
    await progress(stream, 1)
    const leaver = rng.pick(stream.fleet.members().filter(hasBegun))
    const code = await stream.fleet.leave(leaver)
    if (code !== 0) throw new Error(`a process that was asked to leave ended with ${code}: ${leaver.errors()}`)
  }
}

export async function restartBroker(world: FaultWorld, how: 'stop' | 'kill'): Promise<void> {
  if (how === 'kill') await world.broker.kill()
  await world.broker.restart()
  world.counts.restarts += 1
}

/** Resolves when so many more requests have come to the engine, or to where it was. */
async function asked(world: FaultWorld, count: number): Promise<void> {
  const goal = world.proxy.seen.length + count
  await until(() => world.proxy.seen.length >= goal, { what: 'the engine is asked', everyMs: 5 })
}

/** The engine ends while an insert is on its way there, in order or by kill -9, and comes back after it was missed. */
export async function restartEngine(world: FaultWorld, how: 'stop' | 'kill', rng: Rng): Promise<void> {
  const from = world.proxy.seen.length
  const isBusy = (): boolean =>
    world.proxy.seen.slice(from).some((request) => request.sql.startsWith('INSERT INTO landing'))
  await until(isBusy, { what: 'an insert is on its way', everyMs: 1 })
  // Somewhere in the milliseconds that an insert takes.
  const turns = rng.below(200)
  for (let turn = 0; turn < turns; turn += 1) await nextTurn()
  await (how === 'kill' ? world.server.kill() : world.server.stop())
  await asked(world, 2)
  await world.server.start()
  world.counts.restarts += 1
}

/** Connections are accepted and nothing answers, until the service has given up several times. */
export async function freezeEngine(world: FaultWorld, stream: Stream): Promise<void> {
  await world.server.pause()
  try {
    await asked(world, 4 * stream.fleet.members().length)
  } finally {
    await world.server.resume()
  }
}

/** Every error of the list, before the engine heard of the block and after it has stored it; and every way to cut a connection. */
export async function injectErrors(world: FaultWorld): Promise<void> {
  for (const code of ENGINE_ERRORS) {
    await world.inserts.hit({ kind: 'error', code, when: 'before' }, { kind: 'error', code, when: 'after' })
  }
  await world.inserts.hit(
    { kind: 'cut-request' },
    { kind: 'cut-response', at: 'head' },
    { kind: 'cut-response', at: 'body' },
  )
}

/** An insert that takes longer than the session lasts: before the engine hears of it, or after it has stored it. */
export async function slowInsert(world: FaultWorld, stream: Stream, when: 'before' | 'after'): Promise<void> {
  const held = await world.inserts.hold(when)
  const before = stream.fleet.recovery().replays
  await until(() => stream.fleet.recovery().replays > before, {
    what: 'the range is recovered without its insert',
  })
  held.release()
  await progress(stream, 2)
}

/** The group's offsets go back to `share` of each log, as a person does it: with the group stopped. Who was running runs again. */
export async function moveOffsetsBack(world: FaultWorld, stream: Stream, share: number): Promise<void> {
  const count = stream.fleet.members().length
  await Promise.all([...stream.fleet.members()].map(async (service) => await stream.fleet.leave(service)))
  const partitions = Array.from({ length: stream.oracle.partitions() }, (_, partition) => ({
    partition,
    offset: String(Math.floor(stream.oracle.high(partition) * share)),
  }))
  await until(
    async () => {
      await world.admin.setOffsets({ groupId: stream.group, topic: stream.topic, partitions })
      return true
    },
    { what: 'the offsets are moved' },
  )
  await Promise.all(Array.from({ length: count }, async () => await stream.fleet.add()))
}

export interface CutRange {
  readonly partition: number
  readonly from: number
  readonly to: number
  /** Kafka has nothing before it any more. */
  readonly low: number
}

/**
 * All processes are killed while an insert is on its way, and before they come back Kafka deletes half of what a pending intent speaks of. `reached`: the
 * insert reaches the engine all the same.
 */
export async function cutPendingRange(world: FaultWorld, stream: Stream, reached: boolean): Promise<CutRange> {
  const held: HeldInsert = await world.inserts.hold('before')
  const count = stream.fleet.members().length
  await Promise.all([...stream.fleet.members()].map(async (service) => await stream.fleet.kill(service)))
  await stream.production.stop()
  if (reached) held.release()
  else held.drop()
  const cut = await pendingRange(stream)
  await stream.cut(cut.partition, cut.from, cut.low)
  await Promise.all(Array.from({ length: count }, async () => await stream.fleet.add()))
  return cut
}

/** Ranges that a commit says are under way, with the first offset that is not stored for sure. */
async function pendingRanges(stream: Stream): Promise<{ partition: number; from: number; to: number }[]> {
  const ranges = []
  for (let partition = 0; partition < stream.oracle.partitions(); partition += 1) {
    const { offset: from, metadata } = await stream.committed(partition)
    if (metadata === '') continue
    const intent: unknown = JSON.parse(metadata)
    const to = typeof intent === 'object' && intent !== null && 'to' in intent ? Number(intent.to) : from
    if (to > from) ranges.push({ partition, from, to })
  }
  return ranges
}

async function pendingRange(stream: Stream): Promise<CutRange> {
  for (const { partition, from, to } of await pendingRanges(stream)) {
    if (to > from + 1) return { partition, from, to, low: from + Math.ceil((to - from) / 2) }
  }
  throw new Error('no partition has an intent')
}

const OFFSETS = 'offset >= {from:UInt64} AND offset < {to:UInt64}'
const LATTER_HALF = 'offset >= intDiv({from:UInt64} + {to:UInt64}, 2) AND offset < {to:UInt64}'
const ENTRY = 'offset_from = {from:UInt64} AND offset_to = {to:UInt64}'

/** What a kill can leave of a block, one after the other: its token is known to each table, its rows are not there. */
const REMAINS: readonly Readonly<Record<string, string>>[] = [
  { requests: OFFSETS },
  { dead_requests: OFFSETS, ingest_ledger: ENTRY },
  { requests: OFFSETS, dead_requests: OFFSETS },
  { requests: LATTER_HALF, ingest_ledger: ENTRY },
  { requests: OFFSETS, dead_requests: OFFSETS, ingest_ledger: ENTRY },
  { ingest_ledger: ENTRY },
]

/**
 * All processes are killed while so many blocks are stored and nobody has been told; before they come back something of each is gone, of every block
 * something else. Resolves to the number of blocks that were damaged.
 */
export async function manyInDoubt(world: FaultWorld, stream: Stream, blocksMin: number): Promise<number> {
  const { clickhouse } = world
  const held: HeldInsert[] = []
  while (held.length < blocksMin) held.push(await world.inserts.hold('after'))
  const count = stream.fleet.members().length
  await Promise.all([...stream.fleet.members()].map(async (service) => await stream.fleet.kill(service)))
  for (const insert of held) insert.release()
  const pending = await pendingRanges(stream)
  const { topic: source } = stream
  let damaged = 0
  const isStored = async (range: object): Promise<boolean> => {
    const sql = `SELECT count() AS count FROM ingest_ledger WHERE source = {source:String} AND partition = {partition:UInt32} AND ${ENTRY}`
    const [row] = await clickhouse.select(sql, z.object({ count: z.coerce.number() }), { source, ...range })
    return row !== undefined && row.count > 0
  }
  const stored = async (): Promise<typeof pending> => {
    const known = await Promise.all(pending.map(isStored))
    return pending.filter((_, index) => known[index])
  }
  await until(async () => (await stored()).length >= blocksMin, { what: 'the blocks are stored', timeoutMs: 60_000 })
  for (const range of await stored()) {
    for (const [table, rows] of Object.entries(REMAINS[damaged % REMAINS.length] ?? {})) {
      const where = `source = {source:String} AND partition = {partition:UInt32} AND ${rows}`
      await clickhouse.command(`ALTER TABLE ${table} DELETE WHERE ${where} SETTINGS mutations_sync = 2`, {
        source,
        ...range,
      })
    }
    damaged += 1
  }
  await Promise.all(Array.from({ length: count }, async () => await stream.fleet.add()))
  return damaged
}
