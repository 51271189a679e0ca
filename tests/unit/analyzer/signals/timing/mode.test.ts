import { describe, expect, it } from 'vitest'
import { Rng } from '#simulate/random.ts'
import type { RequestTimes } from '../../../../../services/analyzer/run/request-times.ts'
import { ringOf, type Ring } from '../../../../../services/analyzer/signals/timing/hand-over.ts'
import { failover, modeOf, type Mode } from '../../../../../services/analyzer/signals/timing/mode.ts'
import { TUNING } from '../../../../../services/analyzer/tuning.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const DAY = 1440 * MINUTE
const LIMIT_WINDOW = 15 * MINUTE

function requests(times: readonly number[], refused: ReadonlySet<number> = new Set()): RequestTimes {
  return {
    times,
    refusals: times.map((time) => (refused.has(time) ? 1 : 0)),
  }
}

/** An app that is refused after each minute of work in a limit window, and one that begins `delay` later. */
function reserve(rounds: number, delay: (round: number) => number): RequestTimes[] {
  const first: number[] = []
  const second: number[] = []
  const refused = new Set<number>()
  for (let round = 0; round < rounds; round += 1) {
    const start = round * LIMIT_WINDOW
    for (let i = 0; i < 20; i += 1) first.push(start + i * 3 * SECOND)
    refused.add(start + 57 * SECOND)
    const next = start + 57 * SECOND + delay(round)
    for (let i = 0; i < 20; i += 1) second.push(next + i * 3 * SECOND)
  }
  return [requests(first, refused), requests(second.toSorted((x, y) => x - y))]
}

const modeIn = (members: readonly RequestTimes[], ring?: Ring, isRing = false, partitioned = false): Mode =>
  modeOf(members, ring, isRing, partitioned, LIMIT_WINDOW, DAY, TUNING).mode

describe('failover', () => {
  it('is another app that begins right after the first refusal of a limit window', () => {
    const found = failover(
      reserve(40, () => 4 * SECOND),
      LIMIT_WINDOW,
    )
    expect(found).toMatchObject({ followed: 40, refusals: 40 })
    expect(found.p).toBeLessThan(TUNING.alternation.failoverP)
    expect(modeIn(reserve(40, () => 4 * SECOND))).toBe('failover')
  })

  it('counts one refusal a limit window: who is refused again and again is refused once', () => {
    const times = Array.from({ length: 30 }, (_, i) => i * SECOND)
    expect(failover([requests(times, new Set(times)), requests([])], LIMIT_WINDOW).refusals).toBe(1)
  })

  it('is not an app that begins at times of its own', () => {
    const rng = new Rng('own times')
    const found = failover(
      reserve(40, () => rng.range(1, 13) * MINUTE),
      LIMIT_WINDOW,
    )
    expect(found.refusals).toBe(40)
    expect(found.p).toBeGreaterThan(TUNING.alternation.failoverP)
  })

  it('is surer the more refusals are followed', () => {
    const p = [5, 10, 20, 40].map(
      (rounds) =>
        failover(
          reserve(rounds, () => 4 * SECOND),
          LIMIT_WINDOW,
        ).p,
    )
    expect(p.toSorted((x, y) => y - x)).toEqual(p)
  })

  it('is not seen where nobody is refused, or nobody is there', () => {
    const nothing = { followed: 0, refusals: 0, expected: 0, p: 1 }
    expect(failover([requests([1, 2, 3]), requests([2, 3, 4])], LIMIT_WINDOW)).toEqual(nothing)
    expect(failover([], LIMIT_WINDOW)).toEqual(nothing)
  })
})

describe('the mode', () => {
  const rotation = (next: (before: number) => number): RequestTimes[] => {
    const times = Array.from({ length: 4 }, (): number[] => [])
    let key = 0
    for (let i = 0; i < 600; i += 1) {
      times[key]?.push(i * 2 * SECOND)
      key = next(key)
    }
    return times.map((list) => requests(list))
  }

  it('is a round robin when one key follows another in a fixed order', () => {
    expect(modeIn(rotation((key) => (key + 1) % 4))).toBe('round_robin')
  })

  it('is random when the next key is any other', () => {
    const rng = new Rng('random')
    expect(modeIn(rotation((key) => (key + rng.between(1, 3)) % 4))).toBe('random')
  })

  it('is time slices when the keys are a ring, sticky when users are shared out, and else unknown', () => {
    const quiet = [requests([0]), requests([DAY / 2])]
    const ring = ringOf([], LIMIT_WINDOW, DAY, TUNING)
    expect(modeIn(quiet, ring, true)).toBe('time_slice')
    expect(modeIn(quiet, ring, false)).toBe('unknown')
    expect(modeIn(quiet, undefined, false, true)).toBe('sticky')
    expect(modeIn([])).toBe('unknown')
  })
})
