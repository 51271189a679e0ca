/**
 * A model of what the ingest service talks to: a partition of Kafka with its group, and ClickHouse as tables that each keep the tokens they have
 * seen. An insert reaches its tables one after the other, in an order that the test chooses; a fault may strike between any two of them, and may
 * leave a token without its rows. Small enough to be right by reading.
 */
import type { KafkaMessage } from 'kafkajs'
import type { RangeStore, RollupVote } from '../../services/ingest/recovery/recovery.ts'
import { numberedRecord } from '../../rig/requests.ts'

/** What is inserted: offsets [from, to) of those that the log has. */
export interface ModelBlock {
  readonly from: number
  readonly to: number
  readonly records: number
}

const TABLES = ['raw', 'ledger', 'minute', 'route'] as const
type Table = (typeof TABLES)[number]
const ROLLUPS = ['minute', 'route'] as const

/** How many buckets a rollup has: several, and a single one. */
const BUCKETS: Readonly<Record<(typeof ROLLUPS)[number], number>> = { minute: 5, route: 1 }

/** Something strikes: the service dies, the engine dies, or an answer is lost. */
export class Strike extends Error {
  override readonly name = 'Strike'
}

export interface Faults {
  /** Called before every operation. Throws to strike. */
  readonly before: () => void
  /** A struck insert goes on by itself: what is left of it is done when the next owner of the partition first commits. */
  readonly isLate: boolean
  /** When an insert is struck: how many of the tables left it reaches all the same, and whether the next one gets the token without rows. */
  readonly reach: () => { readonly tables: number; readonly isGhost: boolean }
  /** Order in which an insert reaches its tables. */
  readonly order: () => readonly number[]
}

export class ModelWorld {
  readonly log: readonly number[]
  committed: number | undefined
  metadata = ''
  /** Times that each offset is in the raw table. */
  readonly raw = new Map<number, number>()
  readonly ledger: { from: number; to: number }[] = []
  readonly rollups = { minute: new Map<number, number>(), route: new Map<number, number>() }
  /** What zombies have yet to do. */
  private readonly late: (() => void)[] = []
  private readonly tokens: Readonly<Record<Table, Set<string>>> = {
    raw: new Set(),
    ledger: new Set(),
    minute: new Set(),
    route: new Set(),
  }

  constructor(log: readonly number[]) {
    this.log = log
  }

  offsetsOf(block: ModelBlock): number[] {
    return this.log.filter((offset) => offset >= block.from && offset < block.to)
  }

  messagesFrom(offset: number): KafkaMessage[] {
    return this.log
      .filter((known) => known >= offset)
      .map((known) => ({
        key: null,
        value: Buffer.from(JSON.stringify(numberedRecord(known))),
        timestamp: '0',
        attributes: 0,
        offset: String(known),
        headers: {},
      }))
  }

  /** Writes one table, unless it has the token. `isGhost`: the token is kept, the rows are not. */
  private write(table: Table, block: ModelBlock, token: string, isGhost = false): void {
    if (this.tokens[table].has(token)) return
    this.tokens[table].add(token)
    if (isGhost) return
    const offsets = this.offsetsOf(block)
    if (table === 'raw') for (const offset of offsets) this.raw.set(offset, (this.raw.get(offset) ?? 0) + 1)
    else if (table === 'ledger') this.ledger.push({ from: block.from, to: block.to })
    else this.addTo(table, offsets)
  }

  private addTo(rollup: (typeof ROLLUPS)[number], offsets: readonly number[]): void {
    for (const offset of offsets) {
      const bucket = offset % BUCKETS[rollup]
      this.rollups[rollup].set(bucket, (this.rollups[rollup].get(bucket) ?? 0) + 1)
    }
  }

  /** One INSERT. A strike in the middle of it leaves what `faults.reach` says. */
  insert(block: ModelBlock, faults: Faults): void {
    const token = `t/0/${block.from}-${block.to}`
    const left = faults.order().map((index) => TABLES[index] ?? 'raw')
    try {
      for (let table = left[0]; table !== undefined; table = left[0]) {
        faults.before()
        this.write(table, block, token)
        left.shift()
      }
      faults.before()
    } catch (error) {
      if (faults.isLate) {
        this.late.push(() => {
          for (const table of left) this.write(table, block, token)
        })
        throw error
      }
      const { tables, isGhost } = faults.reach()
      for (const table of left.splice(0, tables)) this.write(table, block, token)
      const [next] = left
      if (isGhost && next !== undefined) this.write(next, block, token, true)
      throw error
    }
  }

  /** A commit of a new owner: by then the inserts of earlier ones have timed out or come in. */
  commit(offset: number, metadata: string): void {
    for (const finish of this.late.splice(0)) finish()
    this.committed = offset
    this.metadata = metadata
  }

  private missingOf(block: ModelBlock): number[] {
    return this.offsetsOf(block).filter((offset) => !this.raw.has(offset))
  }

  store(faults: Faults): RangeStore<ModelBlock> {
    return {
      missing: async (block) => {
        faults.before()
        return await Promise.resolve(this.missingOf(block))
      },
      insert: async (block) => {
        this.insert(block, faults)
        return await Promise.resolve(0)
      },
      insertMissing: async (block) => {
        faults.before()
        for (const offset of this.missingOf(block)) this.raw.set(offset, 1)
        await Promise.resolve()
      },
      insertRest: async (block) => {
        const rest = this.missingOf(block)
        const [first = block.from] = rest
        this.insert({ from: first, to: block.to, records: rest.length }, faults)
        await Promise.resolve()
      },
      before: (block, offset) => ({ ...block, to: offset, records: this.offsetsOf({ ...block, to: offset }).length }),
      completeLedger: async (block) => {
        faults.before()
        const isKnown = (offset: number): boolean => this.ledger.some(({ from, to }) => offset >= from && offset < to)
        if (!this.offsetsOf(block).every(isKnown)) this.ledger.push({ from: block.from, to: block.to })
        await Promise.resolve()
      },
      votes: async (block) => {
        faults.before()
        return await Promise.resolve(ROLLUPS.map((rollup) => this.vote(rollup, block)))
      },
      addToRollup: async (block, { rollup }) => {
        faults.before()
        const known = ROLLUPS.find((name) => name === rollup)
        if (known !== undefined) this.addTo(known, this.offsetsOf(block))
        await Promise.resolve()
      },
    }
  }

  private vote(rollup: (typeof ROLLUPS)[number], block: ModelBlock): RollupVote {
    const own = count(
      this.offsetsOf(block).filter((offset) => this.raw.has(offset)),
      BUCKETS[rollup],
    )
    const raw = count(this.raw.keys(), BUCKETS[rollup])
    let present = 0
    let absent = 0
    for (const [bucket, added] of own) {
      const missing = (raw.get(bucket) ?? 0) - (this.rollups[rollup].get(bucket) ?? 0)
      if (missing === 0) present += 1
      if (missing === added) absent += 1
    }
    return { rollup, week: '2026-01-05', present, absent, buckets: own.size }
  }

  /** What is wrong at the end; empty when every record is stored and counted once. */
  problems(): string[] {
    const wrong: string[] = []
    for (const offset of this.log) {
      const times = this.raw.get(offset) ?? 0
      if (times !== 1) wrong.push(`offset ${offset} is stored ${times} times`)
    }
    for (const rollup of ROLLUPS) {
      for (const [bucket, records] of count(this.log, BUCKETS[rollup])) {
        const counted = this.rollups[rollup].get(bucket) ?? 0
        if (counted !== records) wrong.push(`${rollup} bucket ${bucket} counts ${counted}, not ${records}`)
      }
    }
    for (const offset of this.log) {
      if (!this.ledger.some((range) => offset >= range.from && offset < range.to))
        wrong.push(`the ledger lacks ${offset}`)
    }
    return wrong
  }
}

function count(offsets: Iterable<number>, buckets: number): Map<number, number> {
  const counts = new Map<number, number>()
  for (const offset of offsets) counts.set(offset % buckets, (counts.get(offset % buckets) ?? 0) + 1)
  return counts
}
