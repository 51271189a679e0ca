/** Inserts run side by side; the recovery of a range runs alone, so that rollups hold still while they are compared. First come, first served. */
export interface InsertGate {
  shared<T>(run: () => Promise<T>): Promise<T>
  exclusive<T>(run: () => Promise<T>): Promise<T>
}

/** Settles with `run`, and never rejects. */
async function settled(run: Promise<unknown>): Promise<void> {
  await Promise.allSettled([run])
}

export function createInsertGate(): InsertGate {
  const sharing = new Set<Promise<unknown>>()
  let last: Promise<unknown> = Promise.resolve()
  return {
    async shared(run) {
      // Another exclusive run may have been asked for while this one was waited for.
      for (let seen: unknown; seen !== last;) {
        seen = last
        await last
      }
      const running = run()
      const done = settled(running)
      sharing.add(done)
      try {
        return await running
      } finally {
        sharing.delete(done)
      }
    },
    async exclusive(run) {
      const before = last
      const { promise, resolve } = Promise.withResolvers<undefined>()
      last = Promise.all([before, promise])
      await before
      try {
        await Promise.all(sharing)
        return await run()
      } finally {
        resolve(undefined)
      }
    },
  }
}
