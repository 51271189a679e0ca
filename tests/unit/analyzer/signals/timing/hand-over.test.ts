import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Rng } from '#simulate/random.ts'
import {
  handOver,
  hitsOf,
  isRing,
  offWindowShifts,
  ringOf,
  spellsOf,
  type Spells,
} from '../../../../../services/analyzer/signals/timing/hand-over.ts'
import { TUNING } from '../../../../../services/analyzer/tuning.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const DAY = 1440 * MINUTE
const LIMIT_WINDOW = 15 * MINUTE
const SHIFTS = offWindowShifts(TUNING.spells.shifts, LIMIT_WINDOW, 1)

/** Spells of each app when they take turns: one ends, the next begins `gap` later. */
function turns(apps: number, rng: Rng, gap: (rng: Rng) => number = (some) => some.range(1, 8) * SECOND): Spells[] {
  const spells = Array.from({ length: apps }, (_, app) => {
    const none: { readonly app: number; readonly starts: number[]; readonly ends: number[] } = {
      app,
      starts: [],
      ends: [],
    }
    return none
  })
  let time = rng.range(0, 5 * MINUTE)
  for (let i = 0; time < DAY; i += 1) {
    const end = time + rng.range(2, 9) * MINUTE
    spells[i % apps]?.starts.push(time)
    spells[i % apps]?.ends.push(end)
    time = end + gap(rng)
  }
  return spells
}

/** An app at work by itself, in spells, for `share` of the day. */
function alone(app: number, rng: Rng, share = 0.4): Spells {
  const starts: number[] = []
  const ends: number[] = []
  const work = 6 * MINUTE
  for (let time = rng.exponential((work * (1 - share)) / share); time < DAY;) {
    const end = time + work * rng.range(0.3, 1.7)
    starts.push(time)
    ends.push(end)
    time = end + rng.exponential((work * (1 - share)) / share) + 20 * SECOND
  }
  return { app, starts, ends }
}

const between = (one: Spells | undefined, other: Spells | undefined): ReturnType<typeof handOver> =>
  one === undefined || other === undefined ? undefined : handOver(one, other, SHIFTS, DAY, TUNING)

describe('spells', () => {
  it('are runs of requests without long gaps, five at least', () => {
    const run = (from: number, n: number): number[] => Array.from({ length: n }, (_, i) => from + i * 2 * SECOND)
    const times = [...run(0, 6), ...run(5 * MINUTE, 4), ...run(10 * MINUTE, 5)]
    expect(spellsOf(3, times, TUNING)).toEqual({
      app: 3,
      starts: [0, 10 * MINUTE],
      ends: [10 * SECOND, 10 * MINUTE + 8 * SECOND],
    })
  })

  it('bear with slow programs: eight of their usual gaps are no end', () => {
    const times = Array.from({ length: 20 }, (_, i) => i * 10 * SECOND + (i >= 10 ? 60 * SECOND : 0))
    expect(spellsOf(0, times, TUNING).starts).toHaveLength(1)
  })

  it('of nothing are none', () => {
    expect(spellsOf(0, [], TUNING)).toEqual({ app: 0, starts: [], ends: [] })
    expect(spellsOf(0, [5], TUNING).starts).toEqual([])
  })
})

describe('hits', () => {
  it('are ends that a start follows within half a minute, as in a plain count around the day', () => {
    const moments = fc.uniqueArray(fc.integer({ min: 0, max: 2879 }), { maxLength: 40 })
    const { beforeMs, afterMs } = TUNING.spells
    fc.assert(
      fc.property(moments, moments, fc.integer({ min: -720, max: 720 }), (ends, starts, halfMinutes) => {
        const scaled = (list: readonly number[]): number[] =>
          list.map((n) => (n * 30_011) % DAY).toSorted((x, y) => x - y)
        const [e, s] = [scaled(ends), scaled(starts)]
        const shift = halfMinutes * 30 * SECOND
        const plain = e.filter((end) => {
          const from = (((end - beforeMs - shift) % DAY) + DAY) % DAY
          return s.some((start) => start >= from && start <= from + beforeMs + afterMs)
        }).length
        expect(hitsOf(e, s, shift, DAY, TUNING)).toBe(plain)
      }),
      { seed: 1, numRuns: 200 },
    )
  })
})

describe('hand-over', () => {
  it('of two keys that take turns is beyond what chance gives, in both directions', () => {
    const [one, other] = turns(2, new Rng('slices'))
    const found = between(one, other)
    expect(found?.bits).toBeGreaterThan(TUNING.spells.linkBits)
    expect(found?.hits).toBeGreaterThan(4 * (found?.expected ?? Number.POSITIVE_INFINITY))
    expect(found?.back).toBeGreaterThan(0.4)
  })

  it('says no more than its shifts can: the rank caps the bits', () => {
    const [one, other] = turns(2, new Rng('cap'))
    expect(between(one, other)?.bits).toBeLessThanOrEqual(Math.log2(SHIFTS.length + 1))
  })

  it('falls as the turns get sloppier', () => {
    const bits = [3, 60, 300, 3600].map((seconds) => {
      const [one, other] = turns(2, new Rng('sloppy'), (rng) => rng.exponential(seconds * SECOND))
      return between(one, other)?.bits ?? 0
    })
    expect(bits.toSorted((x, y) => y - x)).toEqual(bits)
    expect(bits.at(-1)).toBeLessThan(TUNING.spells.linkBits)
  })

  it('of strangers stays below a link: 300 draws of independent spells, a chance of three in a hundred', () => {
    const linked = Array.from({ length: 300 }, (_, draw) => {
      const rng = new Rng(`strangers/${draw}`)
      return between(alone(0, rng, rng.range(0.1, 0.6)), alone(1, rng, rng.range(0.1, 0.6)))?.bits ?? 0
    }).filter((bits) => bits >= TUNING.spells.linkBits)
    expect(linked.length / 300).toBeLessThanOrEqual(2 ** -TUNING.spells.linkBits * 2)
  })

  it('tells a follower by its direction: it begins when the other ends, never the reverse', () => {
    const rng = new Rng('follower')
    const leader = alone(0, rng, 0.3)
    const starts = leader.ends.map((end) => end + 3 * SECOND)
    const found = between(leader, { app: 1, starts, ends: starts.map((start) => start + 20 * SECOND) })
    expect(found?.bits).toBeGreaterThan(TUNING.spells.linkBits)
    expect(found?.back).toBeLessThan(TUNING.spells.backMin)
  })

  it('is the same whichever of the two is called first', () => {
    const [one, other] = turns(3, new Rng('symmetric'))
    const [there, back] = [between(one, other), between(other, one)]
    expect(back?.hits).toBe(there?.hits)
    expect(back?.back).toBe(there?.back)
  })

  it('of nothing is nothing', () => {
    const nobody = { app: 0, starts: [], ends: [] }
    expect(between(nobody, nobody)).toBeUndefined()
    expect(between(nobody, alone(1, new Rng('one')))).toBeUndefined()
  })
})

describe('shifts', () => {
  it('stay clear of multiples of the limit window, within six hours', () => {
    expect(SHIFTS).toHaveLength(TUNING.spells.shifts)
    for (const shift of SHIFTS) {
      const off = Math.abs(shift / LIMIT_WINDOW - Math.round(shift / LIMIT_WINDOW))
      expect(off).toBeGreaterThanOrEqual(0.1)
      expect(Math.abs(shift)).toBeLessThanOrEqual(360 * MINUTE)
    }
  })
})

describe('a ring', () => {
  const measured = (spells: readonly Spells[]): ReturnType<typeof ringOf> => ringOf(spells, LIMIT_WINDOW, DAY, TUNING)

  it('is keys that slice the time', () => {
    const ring = measured(turns(4, new Rng('ring')))
    expect(ring.apps).toEqual([0, 1, 2, 3])
    expect(ring.overlapMs).toBe(0)
    expect(isRing(ring, TUNING)).toBe(true)
  })

  it('is not a class: who meets at the same hours and overlaps takes no turns', () => {
    const rng = new Rng('class')
    const lessons = Array.from({ length: 10 }, (_, i) => (8 + i) * 60 * MINUTE)
    const students = Array.from({ length: 6 }, (_, app) => {
      const starts = lessons.map((lesson) => lesson + rng.range(0, 3) * MINUTE)
      return { app, starts, ends: starts.map((start) => start + rng.range(20, 45) * MINUTE) }
    })
    expect(isRing(measured(students), TUNING)).toBe(false)
  })

  it('is not strangers who work in spells: 40 draws', () => {
    const rings = Array.from({ length: 40 }, (_, draw) => {
      const rng = new Rng(`batch jobs/${draw}`)
      return measured(Array.from({ length: rng.between(2, 5) }, (__, app) => alone(app, rng, rng.range(0.1, 0.5))))
    }).filter((ring) => isRing(ring, TUNING))
    expect(rings).toEqual([])
  })

  it('has the overlap of a plain count, second by second', () => {
    const rng = new Rng('overlap')
    const whole = (spells: Spells): Spells => ({
      app: spells.app,
      starts: spells.starts.map((time) => Math.round(time / SECOND) * SECOND),
      ends: spells.ends.map((time) => Math.min(DAY, Math.round(time / SECOND) * SECOND)),
    })
    const [one, other] = [whole(alone(0, rng)), whole(alone(1, rng))]
    const at = (spells: Spells, time: number): boolean =>
      spells.starts.some((start, i) => start <= time && time < (spells.ends[i] ?? 0))
    let seconds = 0
    for (let time = 0; time < DAY; time += SECOND) if (at(one, time) && at(other, time)) seconds += 1
    expect(measured([one, other]).overlapMs).toBe(seconds * SECOND)
  })

  it('of nobody is none', () => {
    expect(isRing(measured([]), TUNING)).toBe(false)
    expect(isRing(measured([{ app: 0, starts: [], ends: [] }]), TUNING)).toBe(false)
  })
})
