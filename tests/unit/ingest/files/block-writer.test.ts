import { setImmediate as nextTurn } from 'node:timers/promises'

import { expect, test } from 'vitest'

import { BlockWriter } from '../../../../services/ingest/files/block-writer.ts'

test('a block is stored after the one before, and its buffer is not filled meanwhile', async () => {
  const writer = new BlockWriter()
  const { promise: gate, resolve: open } = Promise.withResolvers<void>()
  const seen: string[] = []
  const storing = async (name: string): Promise<void> => {
    seen.push(`${name} begins`)
    await gate
    seen.push(`${name} ends`)
  }
  const first = writer.rows
  await writer.write(async () => await storing('one'))
  const second = writer.rows
  expect(second).not.toBe(first)
  let isWritten = false
  const write = async (): Promise<void> => {
    await writer.write(async () => await storing('two'))
    isWritten = true
  }
  const writing = write()
  await nextTurn()
  expect(isWritten).toBe(false)
  expect(writer.rows).toBe(second)
  open()
  await writing
  expect(writer.rows).toBe(first)
  await writer.drain()
  expect(seen).toEqual(['one begins', 'one ends', 'two begins', 'two ends'])
})

test('an insert that fails is thrown to the reader, and no block after it is stored', async () => {
  const writer = new BlockWriter()
  const stored: string[] = []
  await writer.write(async () => await Promise.reject(new Error('no table')))
  const later = writer.write(async () => {
    stored.push('later')
    await Promise.resolve()
  })
  await expect(later).rejects.toThrow('no table')
  await expect(writer.drain()).rejects.toThrow('no table')
  expect(stored).toEqual([])
})
