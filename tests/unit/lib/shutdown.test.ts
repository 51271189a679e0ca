import { once } from 'node:events'
import { expect, test } from 'vitest'
import { runUntilStopped } from '#lib/shutdown.ts'

const NEVER = { afterMs: 3_600_000, onCutOff: () => undefined }

test('the first of several signals stops it, and is told; afterwards signals are not taken any more', async () => {
  const before = process.listenerCount('SIGTERM')
  const told: string[] = []
  const onStop = (signal: NodeJS.Signals): number => told.push(signal)
  await runUntilStopped({ onStop, cutOff: NEVER }, async (stop) => {
    expect(stop.aborted).toBe(false)
    const stopped = once(stop, 'abort')
    process.emit('SIGTERM', 'SIGTERM')
    process.emit('SIGINT', 'SIGINT')
    await stopped
  })
  expect(told).toEqual(['SIGTERM'])
  expect(process.listenerCount('SIGTERM')).toBe(before)
})

test('without a cut-off a second signal is left to the process, which it ends', async () => {
  const before = process.listenerCount('SIGINT')
  await runUntilStopped({ onStop: () => undefined }, async (stop) => {
    const stopped = once(stop, 'abort')
    process.emit('SIGINT', 'SIGINT')
    await stopped
    expect(process.listenerCount('SIGINT')).toBe(before)
  })
})
