import { expect, test } from 'vitest'
import { createPauses, retry, StoppedError, type RetryOptions } from '#lib/retry.ts'

/** Fails so many times, with an error of its number. */
function failing(times: number): { readonly run: () => Promise<string>; readonly tries: () => number } {
  let tries = 0
  const run = async (): Promise<string> => {
    tries += 1
    if (tries <= times) throw new Error(`failure ${tries}`)
    return await Promise.resolve('done')
  }
  return { run, tries: () => tries }
}

function options(pauses: number[]): RetryOptions {
  return {
    firstPauseMs: 10,
    pauseMaxMs: 50,
    mayPass: () => true,
    pause: async (milliseconds) => {
      pauses.push(milliseconds)
      await Promise.resolve()
    },
  }
}

test('what may pass is tried until it works, with pauses that double up to their limit', async () => {
  const pauses: number[] = []
  const told: unknown[] = []
  const { run } = failing(5)
  expect(await retry(run, { ...options(pauses), onRetry: (error) => told.push(error) })).toBe('done')
  expect(pauses).toEqual([10, 20, 40, 50, 50])
  expect(told.map(String)).toEqual([1, 2, 3, 4, 5].map((number) => `Error: failure ${number}`))
})

test('what cannot pass is thrown as it is, at once; so is the last of a limited number of tries', async () => {
  const once = failing(9)
  await expect(retry(once.run, { ...options([]), mayPass: () => false })).rejects.toThrow('failure 1')
  expect(once.tries()).toBe(1)
  const thrice = failing(9)
  await expect(retry(thrice.run, { ...options([]), attempts: 3 })).rejects.toThrow('failure 3')
  expect(thrice.tries()).toBe(3)
})

test('who is stopped while waiting is told so, with the last failure as the cause', async () => {
  const stop = new AbortController()
  const waiting = retry(failing(9).run, {
    firstPauseMs: 3_600_000,
    pauseMaxMs: 3_600_000,
    mayPass: () => true,
    signal: stop.signal,
    onRetry: () => setImmediate(() => stop.abort()),
  })
  const error = await waiting.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(StoppedError)
  expect(error).toHaveProperty('cause.message', 'failure 1')
})

test('after a success the first pause is the first again', () => {
  const pauses = createPauses({ firstPauseMs: 1, pauseMaxMs: 8 })
  expect([pauses.next(), pauses.next(), pauses.next()]).toEqual([1, 2, 4])
  pauses.reset()
  expect(pauses.next()).toBe(1)
})
