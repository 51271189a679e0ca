/**
 * Properties of the whole protocol: the state machine, the start, the admission and the recovery run against a model of Kafka and ClickHouse, and
 * are struck at any of their operations, life after life. Whatever happened, a last undisturbed life leaves every record stored once and covered
 * once by the ledger.
 */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeMetadata } from '../../../../services/ingest/kafka/intent.ts'
import { FencedError } from '../../../../services/ingest/kafka/epoch.ts'
import { Partition, type PartitionStore } from '../../../../services/ingest/kafka/partition.ts'
import { recoveryOf } from '../../../../services/ingest/recovery/recovery.ts'
import { createRowPool } from '../../../../services/ingest/kafka/row-pool.ts'
import { union } from '../../../../services/ingest/blocks/range.ts'
import { startPosition } from '../../../../services/ingest/kafka/start.ts'
import { ModelWorld, Strike, type Faults } from '../../../support/ingest-model.ts'
import { DECODE } from '../../../../rig/requests.ts'

interface Life {
  /** Records of a block in this life. */
  readonly rows: number
  /** The operation that is struck; undefined: none. */
  readonly strikeAt: number | undefined
  /** The answer to an insert is lost, and the service lives on. */
  readonly isAnswerLost: boolean
  readonly reachTables: number
  readonly isGhost: boolean
  /** A struck insert goes on by itself (the service was frozen, or died while the engine went on). */
  readonly isLate: boolean
  readonly order: readonly number[]
  /** What happens to the commit of the group before this life: it stays, is lost, or is moved back by so many offsets. */
  readonly commit: 'kept' | 'lost' | number
}

/** Far more than the blocks here hold. */
const POOL_BYTES = 1024 * 1024

const KEY = { topic: 't', partition: 0, source: 't' } as const
const AT_ONCE = {
  pause: async () => {
    await Promise.resolve()
  },
  onRepair: () => undefined,
} as const

function faultsOf(life: Life): Faults {
  let operations = 0
  return {
    before() {
      operations += 1
      if (operations === life.strikeAt) throw new Strike('struck')
    },
    reach: () => ({ tables: life.reachTables, isGhost: life.isGhost }),
    // An answer that is lost to a service that lives on comes from an insert that has ended.
    isLate: life.isLate && !life.isAnswerLost,
    order: () => life.order,
  }
}

/** The store of a partition: the model. */
function storeOf(world: ModelWorld, life: Life): PartitionStore {
  const faults = faultsOf(life)
  const store = world.store(faults)
  return {
    async commit(offset, metadata) {
      faults.before()
      world.commit(offset, metadata)
      // A strike here: the commit is in, and nobody was told.
      faults.before()
      await Promise.resolve()
    },
    async insert({ batch }) {
      expect(batch.records).toBe(world.offsetsOf(batch).length)
      try {
        world.insert(batch, faults)
      } catch (error) {
        if (!life.isAnswerLost) throw error
        return await Promise.resolve('ambiguous')
      }
      return 'stored'
    },
    async recover({ batch }, doubt) {
      expect(batch.records).toBe(world.offsetsOf(batch).length)
      const recovery = recoveryOf(store, batch, { ...AT_ONCE, isSameRange: doubt !== 'offsets' })
      try {
        await recovery()
      } catch (error) {
        if (!life.isAnswerLost) throw error
        await recovery()
      }
    },
  }
}

function begin(world: ModelWorld, life: Life): Partition {
  const metadata = decodeMetadata(world.metadata)
  const sorted = world.ledger.toSorted((one, other) => one.from - other.from || one.to - other.to)
  const last = sorted.toSorted((one, other) => one.to - other.to).at(-1)
  const storedEnd = world.log.findLast((offset) => world.isStored(offset)) ?? -1
  const start = startPosition('t', {
    source: 't',
    committed: world.committed,
    intent: metadata.kind === 'intent' ? metadata.intent : undefined,
    ledger: union(sorted),
    lastBlock: last === undefined ? undefined : { ...last, records: world.offsetsOf(last).length },
    nowMs: 0,
    storedBeyond: storedEnd === -1 ? undefined : storedEnd + 1,
    low: 0,
    high: (world.log.at(-1) ?? -1) + 1,
    behind: 'rewind',
  })
  if (start.isRenewed) throw new Error('the model never creates its topic anew')
  return new Partition({
    key: KEY,
    start,
    high: 0,
    hasIntent: metadata.kind !== 'none',
    store: storeOf(world, life),
    probe: undefined,
    limits: { rows: life.rows, bytes: 1e9, milliseconds: 1e9 },
    pool: createRowPool(POOL_BYTES),
    decodeAt: () => DECODE,
    wallMs: () => 0,
  })
}

/** Reads to the end of the log, or until something strikes. */
async function live(world: ModelWorld, life: Life): Promise<void> {
  const ingest = begin(world, life)
  try {
    for (;;) {
      const taken = ingest.take(world.messagesFrom(ingest.position()))
      if (ingest.isDue(taken.isHeldBack ? 1 : 0)) await ingest.flush()
      else if (!taken.isHeldBack) break
      else throw new Error('held back, and nothing is due')
    }
    if (ingest.isResting()) await ingest.flush()
  } catch (error) {
    if (!(error instanceof Strike) && !(error instanceof FencedError)) throw error
  }
  ingest.fence()
}

const log = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 40 }).map((gaps) => {
  let offset = -1
  return gaps.map((gap) => (offset += gap))
})

function lifeOf(commit: fc.Arbitrary<Life['commit']>): fc.Arbitrary<Life> {
  return fc.record({
    rows: fc.integer({ min: 1, max: 12 }),
    strikeAt: fc.option(fc.integer({ min: 1, max: 60 }), { nil: undefined, freq: 8 }),
    isAnswerLost: fc.boolean(),
    reachTables: fc.integer({ min: 0, max: 3 }),
    isGhost: fc.boolean(),
    isLate: fc.boolean(),
    order: fc.shuffledSubarray([0, 1, 2], { minLength: 3, maxLength: 3 }),
    commit,
  })
}

const CALM: Life = {
  rows: 5,
  strikeAt: undefined,
  isAnswerLost: false,
  reachTables: 0,
  isGhost: false,
  isLate: false,
  order: [0, 1, 2],
  commit: 'kept',
}

test('whatever strikes at whatever operation, every record is stored once and covered once', async () => {
  await fc.assert(
    fc.asyncProperty(log, fc.array(lifeOf(fc.constant('kept')), { maxLength: 8 }), async (offsets, lives) => {
      const world = new ModelWorld(offsets)
      for (const life of lives) await live(world, life)
      await live(world, CALM)
      expect(world.problems()).toEqual([])
      expect(decodeMetadata(world.metadata)).toEqual({ kind: 'none' })
      expect(world.committed).toBe((offsets.at(-1) ?? -1) + 1)
    }),
    { numRuns: 15_000 },
  )
})

test('a group that is moved back, or forgotten, in an orderly state stores nothing twice', async () => {
  const moves = fc.oneof(fc.constant<Life['commit']>('lost'), fc.integer({ min: 0, max: 60 }))
  await fc.assert(
    fc.asyncProperty(log, fc.array(lifeOf(moves), { maxLength: 5 }), async (offsets, lives) => {
      const world = new ModelWorld(offsets)
      for (const life of lives) {
        await live(world, { ...life, strikeAt: undefined })
        world.metadata = ''
        if (life.commit === 'lost') world.committed = undefined
        else if (life.commit !== 'kept') world.committed = Math.max(0, (world.committed ?? 0) - life.commit)
      }
      await live(world, CALM)
      expect(world.problems()).toEqual([])
    }),
    { numRuns: 6000 },
  )
})

test('a group that is forgotten in the middle of an insert loses and doubles no record', async () => {
  await fc.assert(
    fc.asyncProperty(log, lifeOf(fc.constant('lost')), async (offsets, life) => {
      const world = new ModelWorld(offsets)
      // A group can be changed only while it has no members, and by then their inserts have ended.
      await live(world, { ...life, isLate: false })
      world.metadata = ''
      world.committed = undefined
      await live(world, CALM)
      expect(world.problems()).toEqual([])
    }),
    { numRuns: 6000 },
  )
})
