/**
 * Row buffers for all partitions together, reused from block to block, within a bound on the bytes of rows that they hold.
 *
 * The bound is soft by one record a partition: who holds a buffer asks `isOver` before it adds, and blocks are then closed early, the largest
 * first, so that memory always comes back.
 */
import { createRowBuffer, type RowBuffer } from '../blocks/encode.ts'

export interface RowPool {
  /** An empty buffer; undefined while the bound is reached, unless it is needed to get on at all. */
  lend(isNeeded: boolean): RowBuffer | undefined
  giveBack(rows: RowBuffer): void
  /** True while the rows held reach the bound. */
  isOver(): boolean
  /** Bytes of rows held now. */
  bytes(): number
}

/** Room of a new buffer. Pages that are never written cost nothing, whereas growing leaves garbage of the same size outside of the heap. */
const FIRST_BYTES_MAX = 16 * 1024 * 1024
/** Buffers that the bound should be enough for, when it is small. */
const BUFFERS_MIN = 8

/** `bytesMax`: of rows held at a time. Buffers that nobody holds are kept for reuse as long as all of them together stay below it. */
export function createRowPool(bytesMax: number): RowPool {
  const firstBytes = Math.min(FIRST_BYTES_MAX, Math.ceil(bytesMax / BUFFERS_MIN))
  const lent = new Set<RowBuffer>()
  const spare: RowBuffer[] = []
  const bytes = (): number => {
    let sum = 0
    for (const rows of lent) sum += rows.length
    return sum
  }
  const capacity = (): number => [...lent, ...spare].reduce((sum, rows) => sum + rows.bytes.length, 0)
  return {
    lend(isNeeded) {
      if (!isNeeded && bytes() >= bytesMax) return undefined
      const rows = spare.pop() ?? createRowBuffer(firstBytes)
      rows.length = 0
      lent.add(rows)
      return rows
    },
    giveBack(rows) {
      if (!lent.delete(rows)) return
      rows.length = 0
      if (capacity() + rows.bytes.length <= bytesMax) spare.push(rows)
    },
    isOver: () => bytes() >= bytesMax,
    bytes,
  }
}
