import { expect, test } from 'vitest'
import {
  Arrivals,
  EndedSources,
  latestSource,
  nextSource,
  sourceOf,
} from '../../../../services/ingest/kafka/incarnation.ts'

test('the n-th topic of a name has a source of its own', () => {
  expect(sourceOf('t', 1)).toBe('t')
  expect(nextSource('t', 't')).toBe('t@2')
  expect(nextSource('t', 't@9')).toBe('t@10')
  expect(latestSource('t', [])).toBe('t')
  expect(latestSource('t', ['t@10', 't', 't@9'])).toBe('t@10')
})

test('a source that is over is told once, for its own partition', () => {
  const ended = new EndedSources()
  ended.add({ topic: 't', partition: 3, source: 't@2' })
  expect(ended.take('t', 2)).toBeUndefined()
  expect(ended.take('t', 3)).toBe('t@2')
  expect(ended.take('t', 3)).toBeUndefined()
})

test('a gap, or another log, is believed when kafkajs brings the same offset twice', () => {
  const arrivals = new Arrivals()
  expect(arrivals.judge(100, 100)).toBe('next')
  expect(arrivals.judge(100, 120)).toBe('ask_again')
  // A batch that was fetched for an earlier epoch, then the right one.
  expect(arrivals.judge(100, 100)).toBe('next')
  expect(arrivals.judge(150, 170)).toBe('ask_again')
  expect(arrivals.judge(150, 160)).toBe('ask_again')
  expect(arrivals.judge(150, 160)).toBe('gap')
  expect(arrivals.judge(160, 0)).toBe('ask_again')
  expect(arrivals.judge(160, 0)).toBe('renewed')
})
