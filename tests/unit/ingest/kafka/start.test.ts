import { expect, test } from 'vitest'
import { decodeMetadata, encodeIntent } from '../../../../services/ingest/kafka/intent.ts'
import { startPosition, type StartFacts } from '../../../../services/ingest/kafka/start.ts'

const FACTS: StartFacts = {
  source: 't',
  committed: 100,
  intent: undefined,
  ledger: [{ from: 0, to: 100 }],
  lastBlock: { from: 80, to: 100, records: 20 },
  storedBeyond: undefined,
  low: 0,
  high: 500,
  behind: 'rewind',
  nowMs: 7,
}
const INTENT = { v: 1, to: 130, n: 30, at: 5 } as const

test('a group that rested goes on where it is', () => {
  expect(startPosition('t', FACTS)).toMatchObject({
    position: 100,
    pending: undefined,
    known: [],
    doubtBelow: 0,
    warnings: [],
  })
})

test('a range that was begun is completed as it was begun, whether the ledger has it or not', () => {
  const pending = { from: 100, to: 130, records: 30, openedAtMs: 5 }
  const facts = { ...FACTS, intent: INTENT }
  expect(startPosition('t', facts)).toMatchObject({ position: 100, pending, doubtBelow: 0 })
  expect(startPosition('t', { ...facts, ledger: [{ from: 0, to: 130 }] })).toMatchObject({
    position: 100,
    pending,
    known: [],
  })
})

test('a group that was moved back passes over what is stored, and looks at the last block', () => {
  expect(startPosition('t', { ...FACTS, committed: 30 })).toMatchObject({
    position: 30,
    known: [{ from: 30, to: 80 }],
    pending: { from: 80, to: 100, records: 20, openedAtMs: 7 },
    warnings: [{ kind: 'moved_back', from: 30, to: 100 }],
  })
})

test('a group that has no commit goes on at the last block that is stored', () => {
  expect(startPosition('t', { ...FACTS, committed: undefined })).toMatchObject({
    position: 80,
    pending: { from: 80, to: 100 },
  })
})

test('what a kill left beyond the ledger is in doubt; where nothing was ever begun, the first offset at most', () => {
  expect(startPosition('t', { ...FACTS, committed: undefined, storedBeyond: 117 })).toMatchObject({ doubtBelow: 117 })
  const fresh = { ...FACTS, committed: undefined, ledger: [], lastBlock: undefined }
  expect(startPosition('t', fresh)).toMatchObject({ position: 0, pending: undefined, doubtBelow: 1 })
  expect(startPosition('t', { ...fresh, storedBeyond: 40 })).toMatchObject({
    position: 0,
    doubtBelow: 40,
  })
})

test('ClickHouse behind Kafka: what is missing is read again, unless it is told to go on', () => {
  const facts = { ...FACTS, committed: 300 }
  const warning = { kind: 'ledger_behind', from: 100, to: 300 }
  expect(startPosition('t', facts)).toMatchObject({ position: 80, warnings: [{ ...warning, isRewound: true }] })
  expect(startPosition('t', { ...facts, behind: 'continue' })).toMatchObject({
    position: 300,
    warnings: [{ ...warning, isRewound: false }],
  })
})

test('what retention took in a range that was begun is told, and the rest of it is completed', () => {
  expect(startPosition('t', { ...FACTS, intent: INTENT, low: 110 })).toMatchObject({
    position: 110,
    pending: { from: 100, to: 130 },
    warnings: [{ kind: 'retention_cut', from: 100, to: 110 }],
  })
  expect(startPosition('t', { ...FACTS, intent: INTENT, low: 140 })).toMatchObject({
    position: 140,
    pending: undefined,
  })
})

test('a log that ends before what was stored or committed is another topic', () => {
  expect(startPosition('t', { ...FACTS, high: 99 })).toMatchObject({
    source: 't@2',
    isRenewed: true,
    position: 0,
    known: [],
  })
  expect(startPosition('t', { ...FACTS, committed: 501 })).toMatchObject({ source: 't@2', isRenewed: true })
})

test('a source that was found to be over is followed by the next one, unless that has begun already', () => {
  expect(startPosition('t', { ...FACTS, low: 7 }, 't')).toMatchObject({ source: 't@2', isRenewed: true, position: 7 })
  const second = { ...FACTS, source: 't@2' }
  expect(startPosition('t', second, 't@2')).toMatchObject({ source: 't@3', isRenewed: true, position: 0 })
  expect(startPosition('t', second, 't')).toMatchObject({ source: 't@2', isRenewed: false, position: 100 })
})

test('an intent survives the offset commit; what others wrote there is not taken for one', () => {
  expect(decodeMetadata(encodeIntent(INTENT))).toEqual({ kind: 'intent', intent: INTENT })
  expect(decodeMetadata('')).toEqual({ kind: 'none' })
  expect(decodeMetadata(null)).toEqual({ kind: 'none' })
  for (const text of ['x', '{}', '{"v":2,"to":1,"n":1,"at":1}'])
    expect(decodeMetadata(text)).toEqual({ kind: 'foreign' })
})
