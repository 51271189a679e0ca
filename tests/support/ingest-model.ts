/**
 * A model of what the ingest service talks to: a partition of Kafka with its group, and ClickHouse as tables that each keep the tokens they have
 * seen. An insert reaches its tables one after the other, in an order that the test chooses; a fault may strike between any two of them, and may
 * leave a token without its rows. Small enough to be right by reading.
 */
import type { KafkaMessage } from 'kafkajs'
import { difference, type OffsetRange } from '../../services/ingest/blocks/range.ts'
import type { RangeStore } from '../../services/ingest/recovery/recovery.ts'
import { numberedRecord } from '../../rig/requests.ts'

/** What is inserted: offsets [from, to) of those that the log has. */
export interface ModelBlock {
  readonly from: number
  readonly to: number
  readonly records: number
}

const TABLES = ['raw', 'dead', 'ledger'] as const
type Table = (typeof TABLES)[number]

/** Every fourth offset holds a dead record. */
const tableOf = (offset: number): 'raw' | 'dead' => (offset % 4 === 3 ? 'dead' : 'raw')

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

/** What one statement writes, under one token. */
interface Written {
  readonly offsets: readonly number[]
  readonly ranges: readonly OffsetRange[]
  readonly token: string
}

export class ModelWorld {
  readonly log: readonly number[]
  committed: number | undefined
  metadata = ''
  /** Times that each offset is in the raw and in the dead table. */
  readonly rows = { raw: new Map<number, number>(), dead: new Map<number, number>() }
  readonly ledger: OffsetRange[] = []
  /** What zombies have yet to do. */
  private readonly late: (() => void)[] = []
  private readonly tokens: Readonly<Record<Table, Set<string>>> = { raw: new Set(), dead: new Set(), ledger: new Set() }

  constructor(log: readonly number[]) {
    this.log = log
  }

  offsetsOf(block: OffsetRange): number[] {
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
  private write(table: Table, { offsets, ranges, token }: Written, isGhost = false): void {
    const mine = offsets.filter((offset) => tableOf(offset) === table)
    // A view that gives no row keeps no token.
    if (this.tokens[table].has(token) || (table !== 'ledger' && mine.length === 0)) return
    this.tokens[table].add(token)
    if (isGhost) return
    if (table === 'ledger') this.ledger.push(...ranges)
    else for (const offset of mine) this.rows[table].set(offset, (this.rows[table].get(offset) ?? 0) + 1)
  }

  /** Writes tables one after the other. A strike in the middle leaves what `faults.reach` says. */
  private writeAll(tables: readonly Table[], written: Written, faults: Faults): void {
    const left = [...tables]
    try {
      for (let table = left[0]; table !== undefined; table = left[0]) {
        faults.before()
        this.write(table, written)
        left.shift()
      }
      faults.before()
    } catch (error) {
      if (faults.isLate) {
        this.late.push(() => {
          for (const table of left) this.write(table, written)
        })
        throw error
      }
      const reached = faults.reach()
      for (const table of left.splice(0, reached.tables)) this.write(table, written)
      const [next] = left
      if (reached.isGhost && next !== undefined) this.write(next, written, true)
      throw error
    }
  }

  /** One INSERT of a block into all tables. */
  insert(block: ModelBlock, faults: Faults): void {
    const tables = faults.order().map((index) => TABLES[index] ?? 'raw')
    this.writeAll(
      tables,
      { offsets: this.offsetsOf(block), ranges: [block], token: `${block.from}-${block.to}` },
      faults,
    )
  }

  /** A commit of a new owner: by then the inserts of earlier ones have timed out or come in. */
  commit(offset: number, metadata: string): void {
    for (const finish of this.late.splice(0)) finish()
    this.committed = offset
    this.metadata = metadata
  }

  isStored(offset: number): boolean {
    return this.rows.raw.has(offset) || this.rows.dead.has(offset)
  }

  store(faults: Faults): RangeStore<ModelBlock> {
    return {
      missing: async (block) => {
        faults.before()
        return await Promise.resolve(this.offsetsOf(block).filter((offset) => !this.isStored(offset)))
      },
      insert: async (block) => {
        this.insert(block, faults)
        return await Promise.resolve(0)
      },
      insertMissing: async (_, offsets, attempt) => {
        const token = `direct-${offsets[0] ?? 0}-${offsets.length}-${attempt}`
        this.writeAll(['raw', 'dead'], { offsets, ranges: [], token }, faults)
        await Promise.resolve()
      },
      uncovered: async (block) => {
        faults.before()
        const left = difference([block], this.ledger)
        return await Promise.resolve(left.filter((range) => this.offsetsOf(range).length > 0))
      },
      insertLedger: async (_, ranges, attempt) => {
        for (const range of ranges) {
          const token = `ledger-${range.from}-${range.to}-${attempt}`
          this.writeAll(['ledger'], { offsets: [], ranges: [range], token }, faults)
        }
        await Promise.resolve()
      },
    }
  }

  /** What is wrong at the end; empty when every record is stored once, and covered once by the ledger. */
  problems(): string[] {
    const wrong: string[] = []
    for (const offset of this.log) {
      const times = (this.rows.raw.get(offset) ?? 0) + (this.rows.dead.get(offset) ?? 0)
      if (times !== 1) wrong.push(`offset ${offset} is stored ${times} times`)
      const covers = this.ledger.filter((range) => offset >= range.from && offset < range.to).length
      if (covers !== 1) wrong.push(`the ledger covers ${offset} ${covers} times`)
    }
    return wrong
  }
}
