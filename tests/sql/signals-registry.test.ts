import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { measure, openEngine, type Engine, type Measured } from '../support/analyzer-engine.ts'
import { HOUR_MS, START_MS, store, together, unrelated, type Registration } from '../support/analyzer-traffic.ts'

let engine: Engine
beforeAll(async () => {
  engine = await openEngine()
})
beforeEach(async () => {
  await engine.empty()
})
afterAll(async () => {
  await engine.close()
})

const BACKGROUND = unrelated(120, 41)
const TEXT = 'Collects prices of used bicycles in every city and sends a digest to its readers each morning.'

/** Two registrations, each with traffic of its own, that differ in what is given; and what the signals say of them. */
async function compared(a: Partial<Registration>, b: Partial<Registration>): Promise<Measured> {
  const apps = [
    { app: 'a', owner: 'owner-a', name: 'lilac', ...a },
    { app: 'b', owner: 'owner-b', name: 'quince', createdAtMs: START_MS - 500 * HOUR_MS, ...b },
  ]
  const bursts = ['a', 'b'].map((app, i) => ({ app, network: `192.0.2.${i + 1}`, requests: 60 }))
  await store(engine.clickhouse, together(BACKGROUND, { bursts, apps }))
  return await measure(engine.clickhouse, [['a', 'b']])
}

describe('the account', () => {
  it('speaks when it is one, and is against when there are two', async () => {
    expect((await compared({ owner: 'acme' }, { owner: 'acme' })).bits('a', 'b', 'same_owner')).toBeGreaterThan(4)
    await engine.empty()
    expect((await compared({}, {})).bits('a', 'b', 'same_owner')).toBeLessThan(0)
  })

  it('is not measured for apps that the registry lacks: nothing in common is no account in common', async () => {
    const bursts = ['a', 'b'].map((app, i) => ({ app, network: `192.0.2.${i + 1}`, requests: 60 }))
    await store(engine.clickhouse, together(BACKGROUND, { bursts, apps: [] }))
    const { of } = await measure(engine.clickhouse, [['a', 'b']])
    for (const signal of ['same_owner', 'name_stem', 'domain', 'description', 'creation']) {
      expect(of('a', 'b', signal), signal).toBeUndefined()
    }
  })
})

describe('the name', () => {
  it.each([
    ['Bicycle Hunter 1', 'Bicycle Hunter 2'],
    ['bicycle-hunter-dev', 'Bicycle Hunter (prod)'],
    ['Bicycle_Hunter_v2', 'BICYCLE HUNTER'],
  ])('speaks for "%s" and "%s"', async (one, other) => {
    const { bits, of } = await compared({ name: one }, { name: other })
    expect(of('a', 'b', 'name_stem')?.measurement.level).toBe('same')
    expect(bits('a', 'b', 'name_stem')).toBeGreaterThan(4)
  })

  it('is silent for names that share only a word that many apps bear', async () => {
    const weather = unrelated(30, 42, {}, 'w')
    const apps = weather.apps.map((item) => ({ ...item, name: `${item.name ?? ''} weather` }))
    await store(engine.clickhouse, { bursts: weather.bursts, apps })
    const { bits } = await compared({ name: 'lilac weather' }, { name: 'quince weather' })
    expect(bits('a', 'b', 'name_stem')).toBeLessThanOrEqual(0)
  })

  it('is not measured when nothing but environment and digits is in it', async () => {
    expect((await compared({ name: 'prod 1' }, { name: 'prod 2' })).of('a', 'b', 'name_stem')).toBeUndefined()
  })

  it('never says less the more words are common', async () => {
    const names = ['lilac one two three', 'quince one', 'quince one two', 'quince one two three', 'lilac one two three']
    const said: number[] = []
    for (const name of ['quince', ...names.slice(1)]) {
      await engine.empty()
      said.push((await compared({ name: names[0] ?? '' }, { name })).bits('a', 'b', 'name_stem'))
    }
    expect(said).toEqual(said.toSorted((x, y) => x - y))
    expect(said.at(-1)).toBeGreaterThan(4)
  })
})

describe('the domain', () => {
  it.each([
    [{ callbacks: ['https://app.bicycles.co.uk/cb'] }, { website: 'https://www.bicycles.co.uk' }],
    [{ callbacks: ['https://one.bicycles.com/cb'] }, { callbacks: ['https://two.bicycles.com/x', 'http://localhost/cb'] }],
    [{ callbacks: ['https://bikes.herokuapp.com/a'] }, { callbacks: ['https://bikes.herokuapp.com/b'] }],
  ])('speaks for %j and %j', async (one, other) => {
    expect((await compared(one, other)).bits('a', 'b', 'domain')).toBeGreaterThan(4)
  })

  it.each([
    ['customers of one hosting platform', 'https://one.herokuapp.com/cb', 'https://two.herokuapp.com/cb'],
    ['owners of one public suffix', 'https://lilac.co.uk/cb', 'https://quince.co.uk/cb'],
  ])('is silent for %s', async (_, one, other) => {
    const { of } = await compared({ callbacks: [one] }, { callbacks: [other] })
    expect(of('a', 'b', 'domain')?.measurement.level).toBe('different')
  })

  it('is not measured for localhost or no callback at all', async () => {
    const { of } = await compared({ callbacks: ['http://localhost:3000/cb'] }, { callbacks: ['http://localhost:3000/cb'] })
    expect(of('a', 'b', 'domain')).toBeUndefined()
  })
})

describe('the description', () => {
  it('speaks for one text in two registrations', async () => {
    const { bits, of } = await compared({ description: TEXT }, { description: TEXT.toUpperCase() })
    expect(of('a', 'b', 'description')?.measurement.observed).toBe(1)
    expect(bits('a', 'b', 'description')).toBeGreaterThan(4)
  })

  it('is silent for texts about other things', async () => {
    const other = 'Plays chess by mail with whoever writes to it, and keeps the games in an archive that all may read.'
    expect((await compared({ description: TEXT }, { description: other })).bits('a', 'b', 'description')).toBeLessThan(0)
  })

  it('is not measured for a word or two', async () => {
    const { of } = await compared({ description: 'My bot' }, { description: 'My bot' })
    expect(of('a', 'b', 'description')).toBeUndefined()
  })

  it('never says less the more of the text is common', async () => {
    const words = TEXT.split(' ')
    const said: number[] = []
    for (let kept = 0; kept <= words.length; kept += 4) {
      await engine.empty()
      const other = [...words.slice(0, kept), ...words.slice(kept).map((_, i) => `else${i}`)].join(' ')
      said.push((await compared({ description: TEXT }, { description: other })).bits('a', 'b', 'description'))
    }
    expect(said).toEqual(said.toSorted((x, y) => x - y))
  })
})

describe('the time of registration', () => {
  const after = (hours: number): Partial<Registration> => ({ createdAtMs: START_MS - 5000 * HOUR_MS + hours * HOUR_MS })

  it('speaks within an hour, is silent beyond, and never says less for a shorter gap', async () => {
    const said: number[] = []
    for (const hours of [2000, 30, 2, 1, 0.5, 0]) {
      await engine.empty()
      said.push((await compared(after(0), after(hours))).bits('a', 'b', 'creation'))
    }
    expect(said).toEqual(said.toSorted((x, y) => x - y))
    expect(said.slice(0, 3).every((bits) => bits <= 0)).toBe(true)
    expect(said.slice(3).every((bits) => bits > 2)).toBe(true)
  })
})
