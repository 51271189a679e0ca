import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { SignalEvidence } from '../../services/analyzer/evidence/bits.ts'
import { creation, description, domain, nameStem, sameOwner } from '../../services/analyzer/signals/registry.ts'
import type { PairSignal } from '../../services/analyzer/signals/signal.ts'
import { measureAlone, openEngine, prepareRun, type Engine } from '../support/analyzer-engine.ts'
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

type Two = readonly [Partial<Registration>, Partial<Registration>]

/** What a signal says of each two registrations, each app with traffic of its own; undefined where it could not be measured. */
async function compared(signal: PairSignal, twos: readonly Two[]): Promise<(SignalEvidence | undefined)[]> {
  const created = START_MS - 500 * HOUR_MS
  const apps = twos.flatMap((two, i) =>
    two.map((given, k): Registration => {
      const app = `${k === 0 ? 'a' : 'b'}-${i}`
      return { app, owner: `owner-${app}`, name: `lone${app}`, createdAtMs: created - k * 99 * HOUR_MS, ...given }
    }),
  )
  const bursts = apps.map(({ app }, i) => ({ app, network: `192.0.2.${i + 1}`, requests: 60 }))
  await store(engine.clickhouse, together(BACKGROUND, { bursts, apps }))
  const watched = twos.map((_, i) => [`a-${i}`, `b-${i}`] as const)
  const scores = await measureAlone(await prepareRun(engine.clickhouse, watched), signal)
  return watched.map(([a, b]) => scores.find(({ pair }) => pair.a === a && pair.b === b)?.evidence[0])
}

/** Bits where it could be measured. */
const worth = (said: readonly (SignalEvidence | undefined)[]): number[] => said.map((item) => item?.bits ?? Number.NaN)
const levels = (said: readonly (SignalEvidence | undefined)[]): (string | undefined)[] =>
  said.map((item) => item?.measurement.level)

describe('the account', () => {
  it('speaks when it is one, and is against when there are two', async () => {
    const [one = 0, two = 0] = worth(
      await compared(sameOwner, [
        [{ owner: 'acme' }, { owner: 'acme' }],
        [{}, {}],
      ]),
    )
    expect(one).toBeGreaterThan(4)
    expect(two).toBeLessThan(0)
  })

  it('is not measured for apps that the registry lacks, nor is anything else of the registry', async () => {
    const bursts = ['a', 'b'].map((app, i) => ({ app, network: `192.0.2.${i + 1}`, requests: 60 }))
    await store(engine.clickhouse, together(BACKGROUND, { bursts, apps: [] }))
    const context = await prepareRun(engine.clickhouse, [['a', 'b']])
    for (const signal of [sameOwner, nameStem, domain, description, creation]) {
      const score = (await measureAlone(context, signal)).find(({ pair }) => pair.a === 'a' && pair.b === 'b')
      expect([signal.name, score?.evidence]).toEqual([signal.name, []])
    }
  })
})

describe('the name', () => {
  it('speaks for numbered copies, environments and other spellings', async () => {
    const said = await compared(nameStem, [
      [{ name: 'Bicycle Hunter 1' }, { name: 'Bicycle Hunter 2' }],
      [{ name: 'chess-by-mail-dev' }, { name: 'Chess by Mail (prod)' }],
      [{ name: 'Tide_Table_v2' }, { name: 'TIDE TABLE' }],
    ])
    expect(levels(said)).toEqual(['same', 'same', 'same'])
    for (const bits of worth(said)) expect(bits).toBeGreaterThan(4)
  })

  it('is silent for names that share only a word that many apps bear', async () => {
    const weather = unrelated(30, 42, {}, 'w')
    const apps = weather.apps.map((item) => ({ ...item, name: `${item.name ?? ''} weather` }))
    await store(engine.clickhouse, { bursts: weather.bursts, apps }, 'weather')
    const [said] = await compared(nameStem, [[{ name: 'lilac weather' }, { name: 'quince weather' }]])
    expect(said?.measurement.level).toBe('different')
    expect(said?.bits).toBeLessThanOrEqual(0)
  })

  it('is not measured when nothing but environment and digits is in it', async () => {
    expect(await compared(nameStem, [[{ name: 'prod 1' }, { name: 'prod 2' }]])).toEqual([undefined])
  })

  it('never says less the more words are common', async () => {
    const others = [
      'quince',
      'quince maple',
      'quince maple birch',
      'quince maple birch rowan',
      'lilac maple birch rowan',
    ]
    const bits = worth(
      await compared(
        nameStem,
        others.map((name): Two => [{ name: 'lilac maple birch rowan' }, { name }]),
      ),
    )
    expect(bits).toEqual(bits.toSorted((x, y) => x - y))
    expect(bits.at(-1)).toBeGreaterThan(4)
  })
})

describe('the domain', () => {
  it('speaks for one registrable domain, whatever the host, and for one host on a hosting platform', async () => {
    const said = await compared(domain, [
      [{ callbacks: ['https://app.bicycles.co.uk/cb'] }, { website: 'https://www.bicycles.co.uk' }],
      [{ callbacks: ['https://one.tide.com/cb'] }, { callbacks: ['https://two.tide.com/x', 'http://localhost/cb'] }],
      [{ callbacks: ['https://chess.herokuapp.com/a'] }, { callbacks: ['https://chess.herokuapp.com/b'] }],
    ])
    expect(levels(said)).toEqual(['same', 'same', 'same'])
    for (const bits of worth(said)) expect(bits).toBeGreaterThan(4)
  })

  it('is silent for customers of one hosting platform and owners under one public suffix', async () => {
    const said = await compared(domain, [
      [{ callbacks: ['https://one.herokuapp.com/cb'] }, { callbacks: ['https://two.herokuapp.com/cb'] }],
      [{ callbacks: ['https://lilac.co.uk/cb'] }, { callbacks: ['https://quince.co.uk/cb'] }],
    ])
    expect(levels(said)).toEqual(['different', 'different'])
    for (const bits of worth(said)) expect(bits).toBeLessThanOrEqual(0)
  })

  it('is not measured for placeholders or no callback at all', async () => {
    const placeholders = [
      'http://localhost:3000/cb',
      'http://127.0.0.1/cb',
      'https://example.com/cb',
      'http://app.test/',
    ]
    const twos = placeholders.map((url): Two => [{ callbacks: [url] }, { callbacks: [url] }])
    expect(await compared(domain, [...twos, [{}, {}]])).toEqual([...placeholders, ''].map(() => undefined))
  })
})

describe('the description', () => {
  it('speaks for one text in two registrations', async () => {
    const [said] = await compared(description, [[{ description: TEXT }, { description: TEXT.toUpperCase() }]])
    expect(said?.measurement.observed).toBe(1)
    expect(said?.bits).toBeGreaterThan(4)
  })

  it('is silent for texts about other things, and not measured for a word or two', async () => {
    const other = 'Plays chess by mail with whoever writes to it, and keeps the games in an archive that all may read.'
    const [different, short] = await compared(description, [
      [{ description: TEXT }, { description: other }],
      [{ description: 'My bot' }, { description: 'My bot' }],
    ])
    expect(different?.bits).toBeLessThan(0)
    expect(short).toBeUndefined()
  })

  it('never says less the more of the text is common', async () => {
    const words = TEXT.split(' ')
    const twos = [0, 4, 8, 12, 16].map((kept): Two => {
      const other = [...words.slice(0, kept), ...words.slice(kept).map((_, i) => `else${i}`)].join(' ')
      return [{ description: TEXT }, { description: other }]
    })
    const bits = worth(await compared(description, twos))
    expect(bits).toEqual(bits.toSorted((x, y) => x - y))
  })
})

const registered = (hours: number): Partial<Registration> => ({
  createdAtMs: START_MS - 5000 * HOUR_MS + hours * HOUR_MS,
})

describe('the time of registration', () => {
  it('speaks within an hour, is silent beyond, and never says less for a shorter gap', async () => {
    const bits = worth(
      await compared(
        creation,
        [2000, 30, 2, 1, 0.5, 0].map((gap): Two => [registered(0), registered(gap)]),
      ),
    )
    expect(bits).toEqual(bits.toSorted((x, y) => x - y))
    expect(bits.slice(0, 3).every((value) => value <= 0)).toBe(true)
    expect(bits.slice(3).every((value) => value > 2)).toBe(true)
  })
})
