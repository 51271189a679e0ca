/** Blocks of a file into the database, one after the other: one is filled while the one before it is stored. */
import type { RowBuffer } from '../blocks/encode.ts'

export class BlockWriter {
  /** The buffer to fill. What was in it is stored, or lost with an insert that failed. */
  rows: RowBuffer = { bytes: Buffer.alloc(0), length: 0 }
  private other: RowBuffer = { bytes: Buffer.alloc(0), length: 0 }
  private stored: Promise<void> = Promise.resolve()

  /**
   * Starts to store what is in `rows`, once the block before is stored; from then on `rows` is the other buffer. Rejects when a block before could
   * not be stored: then none after it is, so that only the last block of a file can be in doubt.
   */
  async write(store: () => Promise<void>): Promise<void> {
    await this.stored
    ;[this.rows, this.other] = [this.other, this.rows]
    this.stored = store()
    // Told to whoever waits for it next.
    this.stored.catch(() => undefined)
  }

  /** Resolves when everything is stored. Rejects when a block could not be stored. */
  async drain(): Promise<void> {
    await this.stored
  }
}
