/**
 * Row buffers for all partitions together, reused from block to block, within a bound on the bytes of rows that they hold.
 *
 * The bound is soft by one record a partition: who holds a buffer asks `isOver` before it adds, and blocks are then closed early, the largest
 * first, so that memory always comes back.
 */
import { createRowBuffer, type RowBuffer } from './encode.ts'

export interface RowPool {
  /** An empty buffer; undefined while the bound is reached, unless it is needed to get on at all. */
  lend(isNeeded: boolean): RowBuffer | undefined
  giveBack(rows: RowBuffer): void
  /** True while the rows held reach the bound. */
  isOver(): boolean
  /** Bytes of rows held now. */
  bytes(): number
}

/** A buffer starts small, so that many quiet partitions cost little; it doubles as it fills. */
const FIRST_BYTES = 1024 * 1024

/** `spareMax`: buffers kept for reuse when nobody holds them; more are left to the garbage collector. */
export function createRowPool(bytesMax: number, spareMax: number): RowPool {
  const lent = new Set<RowBuffer>()
  const spare: RowBuffer[] = []
  const bytes = (): number => {
    let sum = 0
    for (const rows of lent) sum += rows.length
    return sum
  }
  return {
    lend(isNeeded) {
      if (!isNeeded && bytes() >= bytesMax) return undefined
      const rows = spare.pop() ?? createRowBuffer(FIRST_BYTES)
      rows.length = 0
      lent.add(rows)
      return rows
    },
    giveBack(rows) {
      if (!lent.delete(rows)) return
      rows.length = 0
      if (spare.length < spareMax) spare.push(rows)
    },
    isOver: () => bytes() >= bytesMax,
    bytes,
  }
}
