import { expect, test } from 'vitest'
import { decodeMetadata, encodeIntent } from '../../../../services/ingest/kafka/intent.ts'
import { startPosition, type StartFacts } from '../../../../services/ingest/kafka/start.ts'

const FACTS: StartFacts = {
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
  expect(startPosition(FACTS)).toMatchObject({ position: 100, pending: undefined, known: [], doubtBelow: 0, notes: [] })
})

test('a range that was begun is completed as it was begun, whether the ledger has it or not', () => {
  const pending = { from: 100, to: 130, records: 30, openedAtMs: 5 }
  const facts = { ...FACTS, intent: INTENT }
  expect(startPosition(facts)).toMatchObject({ position: 100, pending, doubtBelow: 0 })
  expect(startPosition({ ...facts, ledger: [{ from: 0, to: 130 }] })).toMatchObject({
    position: 100,
    pending,
    known: [],
  })
})

test('a group that was moved back passes over what is stored, and looks at the last block', () => {
  expect(startPosition({ ...FACTS, committed: 30 })).toMatchObject({
    position: 30,
    known: [{ from: 30, to: 80 }],
    pending: { from: 80, to: 100, records: 20, openedAtMs: 7 },
    notes: [{ kind: 'moved_back', from: 30, to: 100 }],
  })
})

test('a group that has no commit goes on at the last block that is stored', () => {
  expect(startPosition({ ...FACTS, committed: undefined })).toMatchObject({
    position: 80,
    pending: { from: 80, to: 100 },
  })
})

test('what a kill left beyond the ledger is in doubt; where nothing was ever begun, a token at most', () => {
  expect(startPosition({ ...FACTS, committed: undefined, storedBeyond: 117 })).toMatchObject({ doubtBelow: 117 })
  const fresh = { ...FACTS, committed: undefined, ledger: [], lastBlock: undefined }
  expect(startPosition(fresh)).toMatchObject({ position: 0, pending: undefined, doubtBelow: 1, doubt: 'token' })
  expect(startPosition({ ...fresh, storedBeyond: 40 })).toMatchObject({ position: 0, doubtBelow: 40, doubt: 'offsets' })
})

test('ClickHouse behind Kafka: what is missing is read again, unless it is told to go on', () => {
  const facts = { ...FACTS, committed: 300 }
  const note = { kind: 'ledger_behind', from: 100, to: 300 }
  expect(startPosition(facts)).toMatchObject({ position: 80, notes: [{ ...note, isRewound: true }] })
  expect(startPosition({ ...facts, behind: 'continue' })).toMatchObject({
    position: 300,
    notes: [{ ...note, isRewound: false }],
  })
})

test('what retention took in a range that was begun is told, and the rest of it is completed', () => {
  expect(startPosition({ ...FACTS, intent: INTENT, low: 110 })).toMatchObject({
    position: 110,
    pending: { from: 100, to: 130 },
    notes: [{ kind: 'retention_cut', from: 100, to: 110 }],
  })
  expect(startPosition({ ...FACTS, intent: INTENT, low: 140 })).toMatchObject({ position: 140, pending: undefined })
})

test('a log that ends before what was stored or committed is another topic', () => {
  expect(startPosition({ ...FACTS, high: 99 })).toEqual({ kind: 'recreated', knownEnd: 100, high: 99 })
  expect(startPosition({ ...FACTS, committed: 501 })).toMatchObject({ kind: 'recreated' })
})

test('an intent survives the offset commit; what others wrote there is not taken for one', () => {
  expect(decodeMetadata(encodeIntent(INTENT))).toEqual({ kind: 'intent', intent: INTENT })
  expect(decodeMetadata('')).toEqual({ kind: 'none' })
  expect(decodeMetadata(null)).toEqual({ kind: 'none' })
  for (const text of ['x', '{}', '{"v":2,"to":1,"n":1,"at":1}'])
    expect(decodeMetadata(text)).toEqual({ kind: 'foreign' })
})
