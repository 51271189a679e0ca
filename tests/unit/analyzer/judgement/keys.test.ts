import { describe, expect, it } from 'vitest'
import { at, Rng } from '#simulate/random.ts'
import {
  areBorrowed,
  areKeysOfMany,
  borrowedKeys,
  isSingleUser,
  type Borrowed,
} from '../../../../services/analyzer/judgement/keys.ts'
import type { SnapshotApp } from '../../../../services/analyzer/run/snapshot.ts'
import { TUNING } from '../../../../services/analyzer/tuning.ts'
import { app, contextOf, drawn, snapshotOf, strangers, taste, type AppSketch } from '../../../support/snapshot-cases.ts'

const ROUTES = 20
const FAR = strangers(100, ROUTES, new Rng('far'))

const personal = (i: number, more: Partial<SnapshotApp> = {}): SnapshotApp =>
  app(`a${i}`, {
    owner_id: `person-${i}`,
    users: 1,
    top_user: `user-${i}`,
    top_user_requests: 95,
    user_requests: 100,
    ...more,
  })
const crowd = (count: number, more: Partial<SnapshotApp> = {}): SnapshotApp[] =>
  Array.from({ length: count }, (_, i) => personal(i, more))

describe('an app of one person', () => {
  it('acts for one user nearly always, or for none', () => {
    expect(isSingleUser(personal(0), TUNING)).toBe(true)
    expect(isSingleUser(personal(0, { user_requests: 0, top_user_requests: 0 }), TUNING)).toBe(true)
    expect(isSingleUser(personal(0, { top_user_requests: 80 }), TUNING)).toBe(false)
  })
})

describe('keys of many people', () => {
  const areMany = (apps: readonly SnapshotApp[], usersHere: ReadonlyMap<string, number> = new Map()): boolean =>
    areKeysOfMany(apps, usersHere, TUNING)

  it('are apps of one person each, of different people and accounts', () => {
    expect(areMany(crowd(8))).toBe(true)
  })

  it('are not those of one account, nor of one user', () => {
    expect(areMany(crowd(8, { owner_id: 'acme' }))).toBe(false)
    expect(areMany(crowd(8, { top_user: 'operator' }))).toBe(false)
  })

  it('are not apps that serve many', () => {
    expect(areMany(crowd(8, { users: 40, top_user_requests: 10 }))).toBe(false)
  })

  it('may be of accounts that nobody knows: unknown ones are not taken for one', () => {
    expect(areMany(crowd(8, { owner_id: '' }))).toBe(true)
    expect(areMany(crowd(8, { owner_id: '', top_user: '', user_requests: 0 }))).toBe(true)
  })

  it('may serve many elsewhere: what counts is for how many they are used here', () => {
    const busy = crowd(8, { users: 40, top_user_requests: 10 })
    const here = (users: number): ReadonlyMap<string, number> => new Map(busy.map(({ app_id }) => [app_id, users]))
    expect(areMany(busy, here(1))).toBe(true)
    expect(areMany(busy, here(12))).toBe(false)
  })
})

/** Keys at one door, each with a life of its own elsewhere. */
function keysWithLives(
  count: number,
  door: readonly number[],
  lifeOf: (i: number) => readonly number[],
  rng: Rng,
): Borrowed | undefined {
  const keys = Array.from({ length: count }, (_, i): AppSketch => ({
    id: `key-${i}`,
    on: { door: drawn(door, 60, rng), [`home-${i}`]: drawn(lifeOf(i), 80, rng) },
  }))
  const here = new Map(keys.map(({ on }, i) => [i, on['door'] ?? drawn(door, 0, rng)]))
  return borrowedKeys(contextOf(snapshotOf([...keys, ...FAR], ROUTES)), here)
}

describe('borrowed keys', () => {
  it('do one thing here and live elsewhere, each in its own way', () => {
    const rng = new Rng('borrowed')
    const lives = Array.from({ length: 8 }, () => taste(ROUTES, rng))
    const found = keysWithLives(8, taste(ROUTES, rng), (i) => at(lives, i), rng)
    expect(areBorrowed(found, TUNING)).toBe(true)
    expect(found?.apps).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  })

  it('are not a template on a pool: unlike here and elsewhere, but all those lives are alike', () => {
    const rng = new Rng('template')
    const life = taste(ROUTES, rng)
    const found = keysWithLives(8, taste(ROUTES, rng), () => life, rng)
    expect(found?.share).toBeGreaterThanOrEqual(TUNING.policy.borrowedShareMin)
    expect(areBorrowed(found, TUNING)).toBe(false)
  })

  it('are not strangers met by chance: the same program here and elsewhere', () => {
    const rng = new Rng('chance')
    const door = taste(ROUTES, rng)
    const found = keysWithLives(8, door, () => door, rng)
    expect(found?.share).toBe(0)
    expect(areBorrowed(found, TUNING)).toBe(false)
  })

  it('are a larger share the more keys live elsewhere', () => {
    const shares = [0, 3, 6, 8].map((borrowed) => {
      const rng = new Rng('some')
      const lives = Array.from({ length: 8 }, () => taste(ROUTES, rng))
      const door = taste(ROUTES, rng)
      return keysWithLives(8, door, (i) => (i < borrowed ? at(lives, i) : door), rng)?.share ?? Number.NaN
    })
    expect(shares).toEqual([0, 3 / 8, 6 / 8, 1])
  })

  it('cannot be told from a few keys, from keys without other lives, or from nothing', () => {
    const rng = new Rng('few')
    expect(
      keysWithLives(TUNING.policy.borrowedMin - 1, taste(ROUTES, rng), () => taste(ROUTES, rng), rng),
    ).toBeUndefined()
    const context = contextOf(
      snapshotOf([{ id: 'a', on: { door: drawn(taste(ROUTES, rng), 60, rng) } }, ...FAR], ROUTES),
    )
    expect(borrowedKeys(context, new Map())).toBeUndefined()
    expect(borrowedKeys(context, new Map([[0, context.snapshot.apps[0]?.mix ?? drawn([], 0, rng)]]))).toBeUndefined()
    expect(areBorrowed(undefined, TUNING)).toBe(false)
  })
})
