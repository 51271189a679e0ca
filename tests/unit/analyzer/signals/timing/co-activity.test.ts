import { describe, expect, it } from 'vitest'
import { Rng } from '#simulate/random.ts'
import { coActivity, type CoActivity } from '../../../../../services/analyzer/signals/timing/co-activity.ts'
import { TUNING } from '../../../../../services/analyzer/tuning.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const LIMIT_WINDOW = 15 * MINUTE

const rhythm = (times: readonly (readonly number[])[]): CoActivity => coActivity(times, LIMIT_WINDOW, DAY, TUNING)

/** One job that works in bouts and deals its requests out to keys at random; `loyal`: the share that stays with bouts of the key's own. */
function dealt(keys: number, rng: Rng, loyal = 0): number[][] {
  const times = Array.from({ length: keys }, (): number[] => [])
  const bouts = (some: Rng): number[] => Array.from({ length: 20 }, () => some.range(0, DAY - 6 * MINUTE))
  const common = bouts(rng)
  for (const own of times) {
    const alone = bouts(rng)
    for (let i = 0; i < 300; i += 1) {
      const from = rng.chance(loyal) ? alone : common
      own.push((from[rng.below(from.length)] ?? 0) + rng.range(0, 3 * MINUTE))
    }
    own.sort((x, y) => x - y)
  }
  return times
}

describe('co-activity', () => {
  it('of keys that one job deals its requests out to is far beyond chance', () => {
    const found = rhythm(dealt(4, new Rng('dealt')))
    expect(found.z).toBeGreaterThan(TUNING.alternation.coActivityZMin)
    expect(found.switches).toBeGreaterThan(found.expected)
  })

  it('fades as the keys work at times of their own', () => {
    const z = [0, 0.3, 0.6, 1].map((loyal) => rhythm(dealt(4, new Rng('fades'), loyal)).z)
    expect(z.toSorted((x, y) => y - x)).toEqual(z)
    expect(z.at(-1)).toBeLessThan(TUNING.alternation.coActivityZMin)
  })

  it('of strangers is none: 60 draws of programs that work in bouts', () => {
    const most = Array.from({ length: 60 }, (_, draw) => {
      const rng = new Rng(`strangers/${draw}`)
      return rhythm(dealt(rng.between(2, 6), rng, 1)).z
    })
    expect(Math.max(...most)).toBeLessThan(TUNING.alternation.coActivityZMin)
  })

  it('of crons on the hour is none: by whole hours they meet as often', () => {
    const rng = new Rng('crons')
    const crons = Array.from({ length: 4 }, () =>
      Array.from({ length: 24 }, (_, hour) => Array.from({ length: 10 }, () => hour * HOUR + rng.range(0, 90 * SECOND)))
        .flat()
        .toSorted((x, y) => x - y),
    )
    expect(rhythm(crons).z).toBeLessThan(TUNING.alternation.coActivityZMin)
  })

  it('of nothing is nothing', () => {
    expect(rhythm([])).toMatchObject({ switches: 0, z: 0 })
    expect(rhythm([[], []])).toMatchObject({ switches: 0, z: 0 })
  })
})
