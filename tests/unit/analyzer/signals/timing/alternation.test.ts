import { describe, expect, it } from 'vitest'
import { Rng } from '#simulate/random.ts'
import { alternates, alternation, isInTurn } from '../../../../../services/analyzer/signals/timing/alternation.ts'
import { TUNING } from '../../../../../services/analyzer/tuning.ts'

const SECOND = 1000
const HOUR = 3_600_000

/** Times of each key when the keys are used in this order, one every two seconds. */
function inOrder(labels: readonly number[], keys: number): number[][] {
  const times = Array.from({ length: keys }, (): number[] => [])
  for (const [i, label] of labels.entries()) times[label]?.push(i * 2 * SECOND)
  return times
}

const poisson = (mean: number, until: number, rng: Rng): number[] => {
  const times: number[] = []
  for (let time = rng.exponential(mean); time < until; time += rng.exponential(mean)) times.push(time)
  return times
}

/** All orders of labels. */
function permutations(labels: readonly number[]): number[][] {
  if (labels.length <= 1) return [[...labels]]
  return labels.flatMap((label, i) => permutations(labels.toSpliced(i, 1)).map((rest) => [label].concat(rest)))
}

const repeatsOf = (labels: readonly number[]): number =>
  labels.filter((label, i) => i > 0 && label === labels[i - 1]).length

describe('alternation', () => {
  it.each([[[0, 0, 1, 1, 2]], [[0, 0, 0, 1, 1, 2]], [[0, 1, 2, 3, 3]], [[0, 0, 0, 0, 0, 1]]])(
    'expects of %j what all of its orders give: the mean and the spread of repeats',
    (labels) => {
      const all = permutations(labels).map(repeatsOf)
      const mean = all.reduce((sum, n) => sum + n, 0) / all.length
      const variance = all.reduce((sum, n) => sum + (n - mean) ** 2, 0) / all.length
      // One stretch has a spread below 1, which z does not divide by; twenty of the same, an hour apart, have twenty times the variance.
      const stretches = 20
      const times = Array.from({ length: Math.max(...labels) + 1 }, (_, key) =>
        Array.from({ length: stretches }, (__, k) =>
          labels.flatMap((label, i) => (label === key ? [k * HOUR + i * SECOND] : [])),
        ).flat(),
      )
      const found = alternation(times, TUNING)
      expect(found.neighbours).toBe(stretches * (labels.length - 1))
      expect(found.repeats).toBe(stretches * repeatsOf(labels))
      expect(found.expectedRepeats).toBeCloseTo(stretches * mean, 9)
      const sd = Math.max(1, Math.sqrt(stretches * variance))
      expect(found.z).toBeCloseTo((stretches * (mean - repeatsOf(labels))) / sd, 9)
    },
  )

  it('of a round robin is far beyond chance, and a round', () => {
    const found = alternation(
      inOrder(
        Array.from({ length: 400 }, (_, i) => i % 4),
        4,
      ),
      TUNING,
    )
    expect(found.repeats).toBe(0)
    expect(found.z).toBeGreaterThan(TUNING.alternation.zMin)
    expect(found.roundShare).toBe(1)
  })

  it('of a rotation that never uses a key twice running is far beyond chance, and no round', () => {
    const rng = new Rng('random rotation')
    let last = 0
    const labels = Array.from({ length: 600 }, () => {
      last = (last + rng.between(1, 4)) % 5
      return last
    })
    const found = alternation(inOrder(labels, 5), TUNING)
    expect(found.z).toBeGreaterThan(TUNING.alternation.zMin)
    expect(found.roundShare).toBeLessThan(TUNING.alternation.roundMin)
  })

  it('grows with the traffic', () => {
    const z = [40, 120, 400, 1200].map(
      (n) =>
        alternation(
          inOrder(
            Array.from({ length: n }, (_, i) => i % 3),
            3,
          ),
          TUNING,
        ).z,
    )
    expect(z.toSorted((x, y) => x - y)).toEqual(z)
  })

  it('is not of bursty strangers: they repeat more than chance', () => {
    const rng = new Rng('bursts')
    const times = Array.from({ length: 5 }, () =>
      poisson(60 * SECOND, 4 * HOUR, rng).flatMap((start) => Array.from({ length: 6 }, (_, i) => start + i * 300)),
    ).map((list) => list.toSorted((x, y) => x - y))
    expect(alternation(times, TUNING).z).toBeLessThan(0)
  })

  it('is not of independent programs: 200 draws of Poisson traffic', () => {
    const most = Array.from({ length: 200 }, (_, draw) => {
      const rng = new Rng(`independent/${draw}`)
      const keys = rng.between(2, 8)
      return alternation(
        Array.from({ length: keys }, () => poisson(rng.range(5, 60) * SECOND, HOUR, rng)),
        TUNING,
      ).z
    })
    expect(Math.max(...most)).toBeLessThan(TUNING.alternation.zMin)
  })

  it('says nothing of programs of different hours', () => {
    const rng = new Rng('hours')
    const times = [0, 1, 2].map((i) => poisson(10 * SECOND, HOUR, rng).map((time) => time + i * 2 * HOUR))
    expect(alternation(times, TUNING)).toMatchObject({ neighbours: 0, z: 0 })
  })

  it('of nothing is nothing', () => {
    const nothing = { neighbours: 0, repeats: 0, expectedRepeats: 0, z: 0, roundShare: 0, gapRatio: 1 }
    expect(alternation([], TUNING)).toEqual(nothing)
    expect(alternation([[], []], TUNING)).toEqual(nothing)
    expect(alternation([[1, 2, 3]], TUNING)).toEqual(nothing)
  })
})

describe('in turn because of one another', () => {
  const DAY = 24 * HOUR
  const isTurn = (times: readonly (readonly number[])[]): boolean =>
    alternates(times, alternation(times, TUNING), 900 * SECOND, DAY, TUNING)

  /** One process that goes round the keys whenever there is work. */
  function roundOf(keys: number, work: readonly number[]): number[][] {
    return Array.from({ length: keys }, (_, key) => work.filter((__, i) => i % keys === key))
  }

  it('are the keys of one process: shifted against each other they are so no more', () => {
    const rng = new Rng('work')
    expect(isTurn(roundOf(2, poisson(20 * SECOND, DAY, rng)))).toBe(true)
    const bouts = poisson(HOUR / 2, DAY - HOUR, rng).flatMap((start) =>
      poisson(6 * SECOND, 5 * 60 * SECOND, rng).map((time) => start + time),
    )
    expect(
      isTurn(
        roundOf(
          4,
          bouts.toSorted((x, y) => x - y),
        ),
      ),
    ).toBe(true)
  })

  it('are not two steady programs of one pace: they alternate at any shift', () => {
    const rng = new Rng('steady')
    const steady = [0, 13].map((phase) =>
      Array.from({ length: 2000 }, (_, i) => (phase + i * 30) * SECOND + rng.range(0, SECOND)),
    )
    expect(isInTurn(alternation(steady, TUNING), TUNING)).toBe(true)
    expect(isTurn(steady)).toBe(false)
  })

  it('is not a follower: he comes seconds after the one he copies, and never the other way about', () => {
    const rng = new Rng('follower')
    const leader = poisson(40 * SECOND, DAY, rng)
    const follower = leader.map((time) => time + rng.range(1, 2) * SECOND).toSorted((x, y) => x - y)
    const found = alternation([leader, follower], TUNING)
    expect(found.z).toBeGreaterThan(TUNING.alternation.zMin)
    expect(found.gapRatio).toBeGreaterThan(TUNING.alternation.gapRatioMax)
    expect(isTurn([leader, follower])).toBe(false)
  })

  it('is nobody among independent programs, nor in nothing', () => {
    const rng = new Rng('independent turns')
    for (let draw = 0; draw < 50; draw += 1) {
      expect(isTurn([0, 1, 2].map(() => poisson(rng.range(5, 60) * SECOND, HOUR, rng)))).toBe(false)
    }
    expect(isTurn([])).toBe(false)
    expect(isTurn([[], []])).toBe(false)
  })
})
