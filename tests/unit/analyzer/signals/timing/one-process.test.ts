import { describe, expect, it } from 'vitest'
import { Rng } from '#simulate/random.ts'
import {
  oneProcess,
  outageMinutes,
  pollsOf,
  type OneProcess,
  type PolledKey,
} from '../../../../../services/analyzer/signals/timing/one-process.ts'
import { TUNING } from '../../../../../services/analyzer/tuning.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

interface Poller {
  /** Milliseconds after the start of the day. */
  readonly phase: number
  readonly period?: number
  /** Standard deviation of each poll, milliseconds. */
  readonly jitter?: number
  /** Half-open, milliseconds: no polls within. */
  readonly silent?: readonly (readonly [number, number])[]
  /** From `at` on all polls come so much later. */
  readonly restart?: { readonly at: number; readonly later: number }
}

/** Times of a program that polls all day. */
function polling({ phase, period = 5 * MINUTE, jitter = 500, silent = [], restart }: Poller, rng: Rng): number[] {
  const polls = Array.from({ length: Math.floor((DAY - phase) / period) }, (_, i) => phase + i * period)
  return polls
    .filter((time) => !silent.some(([from, to]) => time >= from && time < to))
    .map((time) => (restart !== undefined && time >= restart.at ? time + restart.later : time))
    .map((time) => Math.max(0, Math.round(time + jitter * rng.normal())))
    .toSorted((x, y) => x - y)
}

const keysOf = (pollers: readonly Poller[], rng: Rng): PolledKey[] =>
  pollers.map((poller, i) => pollsOf(i, polling(poller, rng), TUNING))
const proofOf = (
  pollers: readonly Poller[],
  rng: Rng,
  outages: ReadonlySet<number> = new Set(),
): OneProcess | undefined => oneProcess(keysOf(pollers, rng), outages, DAY, TUNING)

const evenly = (keys: number, period = 5 * MINUTE): Poller[] =>
  Array.from({ length: keys }, (_, i) => ({ phase: 1000 + (i * period) / keys, period }))
const anyPhase = (rng: Rng, period = 5 * MINUTE): number => rng.range(0, period)

describe('polls of a key', () => {
  it('are requests after silence: what follows a poll at once belongs to it', () => {
    const times = [0, 200, 900, 60_000, 60_100, 120_000, 120_700, 180_000, 240_000, 300_000]
    const key = pollsOf(7, times, TUNING)
    expect(key).toEqual({
      app: 7,
      polls: [0, 60_000, 120_000, 180_000, 240_000, 300_000],
      periodMs: 60_000,
      regularity: 1,
    })
  })

  it('are regular for a program, and not for a person', () => {
    const rng = new Rng('people')
    const person = Array.from({ length: 80 }, () => rng.range(9 * HOUR, 17 * HOUR)).toSorted((x, y) => x - y)
    expect(pollsOf(0, person, TUNING).regularity).toBeLessThan(TUNING.polls.regularityMin)
    expect(pollsOf(0, polling({ phase: 0 }, rng), TUNING).regularity).toBeGreaterThan(0.95)
  })

  it('of a handful of requests have no period', () => {
    expect(pollsOf(0, [], TUNING)).toEqual({ app: 0, polls: [], periodMs: 0, regularity: 0 })
    expect(pollsOf(0, [0, 60_000, 120_000, 180_000], TUNING).regularity).toBe(0)
  })
})

describe('one process', () => {
  it('is proven by keys that are polled one after another, evenly', () => {
    const proof = proofOf(evenly(8), new Rng('walk'))
    expect(proof?.proof).toBe('even_stagger')
    expect(proof?.apps).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect(proof?.observed).toBeLessThan(0.1)
    expect(proof?.expected).toBeGreaterThan(0.5)
  })

  it('measures the stagger as by hand: gaps that alternate between .9 and 1.1 of a tenth vary by .1', () => {
    const tenth = 30_000
    const pollers = Array.from({ length: 10 }, (_, i) => ({
      phase: 5000 + i * tenth + (i % 2) * 0.1 * tenth,
      jitter: 0,
    }))
    expect(proofOf(pollers, new Rng('hand'))?.observed).toBeCloseTo(0.1, 9)
  })

  it('is surer the more keys keep an even stagger', () => {
    const p = [5, 7, 10].map((keys) => proofOf(evenly(keys), new Rng('more'))?.p ?? 1)
    expect(p.toSorted((x, y) => y - x)).toEqual(p)
    expect(p[0]).toBeLessThanOrEqual(TUNING.polls.pMax)
  })

  it('is not proven by a template that many deploy: 200 draws of independent phases', () => {
    const proven = Array.from({ length: 200 }, (_, draw) => {
      const rng = new Rng(`template/${draw}`)
      const keys = rng.between(4, 14)
      return proofOf(
        Array.from({ length: keys }, () => ({ phase: anyPhase(rng) })),
        rng,
      )
    }).filter((proof) => proof !== undefined)
    expect(proven.length).toBe(0)
  })

  it('is proven by keys that all poll at one moment off the clock', () => {
    const proof = proofOf(
      Array.from({ length: 6 }, () => ({ phase: 2 * MINUTE + 31_000 })),
      new Rng('moment'),
    )
    expect(proof?.proof).toBe('one_moment')
    expect(proof?.observed).toBeGreaterThan(TUNING.polls.momentMin)
  })

  it('is not proven by crons on the full minute', () => {
    const rng = new Rng('crons')
    const crons = Array.from({ length: 10 }, () => ({ phase: 2 * MINUTE + rng.range(0, 4000) }))
    expect(proofOf(crons, rng)).toBeUndefined()
  })
})

describe('the fate of keys', () => {
  const outages = [3, 7.3, 11.1, 16.4, 21].map((hour): readonly [number, number] => [
    hour * HOUR,
    hour * HOUR + 20 * MINUTE,
  ])
  const together = (rng: Rng, silent: Poller['silent']): Poller[] =>
    Array.from({ length: 8 }, () => ({ phase: anyPhase(rng), ...(silent && { silent }) }))

  it('in common over several outages proves one process', () => {
    const rng = new Rng('fate')
    const proof = proofOf(together(rng, outages), rng)
    expect(proof?.proof).toBe('common_fate')
    expect(proof?.apps).toHaveLength(8)
    expect(proof?.observed).toBeGreaterThan(proof?.expected ?? Number.POSITIVE_INFINITY)
  })

  it('in common once is one outage of a host, and proves nothing', () => {
    const rng = new Rng('host')
    expect(proofOf(together(rng, outages.slice(0, 1)), rng)).toBeUndefined()
  })

  it('is not common when each key falls silent by itself', () => {
    for (let draw = 0; draw < 20; draw += 1) {
      const rng = new Rng(`alone/${draw}`)
      const pollers = Array.from({ length: 8 }, () => ({
        phase: anyPhase(rng),
        silent: Array.from({ length: 5 }, () => rng.range(0, DAY - HOUR)).map(
          (from) => [from, from + 20 * MINUTE] as const,
        ),
      }))
      expect(proofOf(pollers, rng)).toBeUndefined()
    }
  })

  it('that the other residents share is an outage of the place, and left out', () => {
    const rng = new Rng('place')
    const others = keysOf(together(rng, outages), rng)
    const left = outageMinutes(others, DAY)
    expect(left.has(3 * 60 + 10)).toBe(true)
    expect(left.has(5 * 60)).toBe(false)
    expect(proofOf(together(rng, outages), rng, left)).toBeUndefined()
  })

  it('of people who work at the same hours is no proof: they are not regular', () => {
    const rng = new Rng('class')
    const people = Array.from({ length: 8 }, (_, i) => {
      const times = Array.from({ length: 200 }, () => rng.between(9, 16) * HOUR + rng.range(0, 50 * MINUTE))
      return pollsOf(
        i,
        times.toSorted((x, y) => x - y),
        TUNING,
      )
    })
    expect(oneProcess(people, new Set(), DAY, TUNING)).toBeUndefined()
  })
})

describe('a restart', () => {
  const NOON = 12 * HOUR

  it('that moves all keys by the same amount is one process that began again', () => {
    const rng = new Rng('restart')
    const restart = { at: NOON, later: 100_000 }
    const proof = proofOf(
      Array.from({ length: 8 }, () => ({ phase: anyPhase(rng), restart })),
      rng,
    )
    expect(proof?.proof).toBe('common_restart')
    expect(proof?.apps).toHaveLength(8)
  })

  it('of a host after which each deployment has a phase of its own is none: 100 draws', () => {
    const proven = Array.from({ length: 100 }, (_, draw) => {
      const rng = new Rng(`host/${draw}`)
      const keys = rng.between(4, 12)
      return proofOf(
        Array.from({ length: keys }, () => ({ phase: anyPhase(rng), restart: { at: NOON, later: anyPhase(rng) } })),
        rng,
      )
    }).filter((proof) => proof !== undefined)
    expect(proven).toEqual([])
  })

  it('is none where one program of many drifts: its gaps are a little longer than their median all day', () => {
    const rng = new Rng('drift')
    const drifting = Array.from({ length: 10 }, (_, i) => {
      const times: number[] = []
      for (let time = rng.range(0, MINUTE); time < DAY; time += MINUTE + rng.exponential(150))
        times.push(Math.round(time))
      return pollsOf(i, times, TUNING)
    })
    expect(oneProcess(drifting, new Set(), DAY, TUNING)).toBeUndefined()
  })
})

describe('nothing', () => {
  it('proves nothing: no keys, too few keys, keys without polls', () => {
    expect(oneProcess([], new Set(), DAY, TUNING)).toBeUndefined()
    expect(proofOf(evenly(TUNING.polls.keysMin - 1), new Rng('few'))).toBeUndefined()
    expect(
      oneProcess(
        Array.from({ length: 9 }, (_, i) => pollsOf(i, [], TUNING)),
        new Set(),
        DAY,
        TUNING,
      ),
    ).toBeUndefined()
    expect(outageMinutes([], DAY).size).toBe(0)
  })
})
