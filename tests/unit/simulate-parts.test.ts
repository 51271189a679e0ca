import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createProgress, progressLine } from '#lib/progress.ts'
import { EventQueue } from '#simulate/event-queue.ts'
import { Rng, Weighted } from '#simulate/random.ts'
import { episodes, HOUR_MS, shift } from '#simulate/rhythm.ts'
import { failover, timeSlices } from '#simulate/rings.ts'
import { createRoutes } from '#simulate/routes.ts'

describe('the event queue', () => {
  it('gives items in the order of time, rescheduled ones included', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1_000), { minLength: 1 }), fc.array(fc.nat(1_000)), (first, later) => {
        const queue = new EventQueue<number>()
        for (const time of first) queue.push(time, time)
        const moved = later.map((delay) => {
          const time = queue.nextTime + delay
          queue.reschedule(time)
          return time
        })
        const times: number[] = []
        while (queue.next !== undefined) {
          times.push(queue.nextTime)
          queue.removeNext()
        }
        expect(times).toEqual(times.toSorted((left, right) => left - right))
        expect(times).toHaveLength(first.length)
        expect(moved.every((time) => time >= Math.min(...first))).toBe(true)
      }),
    )
  })
})

describe('randomness', () => {
  it('is the same for a key on every platform', () => {
    const rng = new Rng('1')
    expect([rng.below(1_000_000), rng.below(1_000_000), rng.below(1_000_000)]).toEqual([234_024, 8_963, 7_594])
  })

  it('gives a fork numbers that do not depend on what was drawn before', () => {
    const used = new Rng('seed')
    used.next()
    expect(used.fork('a').next()).toBe(new Rng('seed').fork('a').next())
    expect(used.fork('a').next()).not.toBe(used.fork('b').next())
  })

  it('draws weighted items in proportion to their weights', () => {
    const rng = new Rng('weights')
    const coin = new Weighted(['a', 'b', 'c'], [1, 2, 7])
    const counts = { a: 0, b: 0, c: 0 }
    for (let draw = 0; draw < 20_000; draw += 1)
      counts[coin.pick(rng) === 'a' ? 'a' : coin.pick(rng) === 'b' ? 'b' : 'c'] += 1
    // The second draw decides between b and c: 0.1, 0.9 * 0.2 and 0.9 * 0.8.
    expect(counts.a / 20_000).toBeCloseTo(0.1, 1)
    expect(counts.b / 20_000).toBeCloseTo(0.18, 1)
    expect(counts.c / 20_000).toBeCloseTo(0.72, 1)
  })
})

describe('curves', () => {
  it('open for their hours only, over midnight too', () => {
    const night = shift(0, 22, 4)
    const open = Array.from({ length: 24 }, (_, hour) => night(hour * HOUR_MS + 1))
    expect(open.flatMap((value, hour) => (value === 1 ? [hour] : []))).toEqual([0, 1, 22, 23])
  })

  it('are on for about their part of the time', () => {
    const curve = episodes(new Rng('e'), 0, 5_000 * HOUR_MS, HOUR_MS, 3 * HOUR_MS)
    const on = Array.from({ length: 50_000 }, (_, index) => curve(index * 0.1 * HOUR_MS)).filter((value) => value === 1)
    expect(on.length / 50_000).toBeCloseTo(0.25, 1)
  })
})

describe('rings', () => {
  const [route] = createRoutes(new Rng('routes'), 1, 50, 2)
  if (route === undefined) throw new Error('no route')

  it('in failover come back to the first key when its window ends', () => {
    const ring = failover(2)
    expect(ring.choose(0, route, 0)).toBe(0)
    ring.refused(0, route, 0, 1_000)
    expect(ring.choose(10, route, 0)).toBe(1)
    expect(ring.choose(1_000, route, 0)).toBe(0)
  })

  it('in time slices give each key its part of the period', () => {
    const ring = timeSlices(3, 900, 0)
    expect([0, 299, 300, 599, 600, 899, 900].map((time) => ring.choose(time, route, 0))).toEqual([0, 0, 1, 1, 2, 2, 0])
  })
})

describe('progress', () => {
  it('shows count, percent, rate and remaining time', () => {
    const options = { label: 'simulate', total: 1_000, unit: 'requests' }
    expect(progressLine(options, 250, 1_000)).toBe('simulate: 250 requests, 25 %, 250/s, 3 s left')
    expect(progressLine({ ...options, total: 0 }, 250, 1_000)).toBe('simulate: 250 requests, 250/s')
  })

  it('draws at most five times a second, and nothing when there is no terminal', () => {
    let time = 0
    const drawn = (isTTY: boolean): string[] => {
      const texts: string[] = []
      const stream = { isTTY, write: (text: string) => texts.push(text) }
      const progress = createProgress({ label: 'x', total: 10, unit: 'y', now: () => time, stream })
      for (let step = 0; step < 10; step += 1) {
        time += 50
        progress.update(step)
      }
      progress.finish()
      return texts
    }
    expect(drawn(false)).toEqual([])
    expect(drawn(true)).toHaveLength(4)
  })
})
