/**
 * Registry signals: what two registrations have in common. They say whose an app may be, never what it does, so alone they can
 * only ask for review. Not measured for apps that the registry lacks.
 */
import { hoursToMilliseconds } from 'date-fns'

import type { App } from '../run/apps.ts'
import { isRegistered } from '../run/apps.ts'
import type { Pair, PairKey } from '../run/pairs.ts'
import type { PairSignalName } from '../tuning.ts'
import type { Measurement, PairSignal, SignalContext } from './signal.ts'

type Compare = (a: App, b: App) => Measurement | undefined

function registrySignal(
  name: PairSignalName,
  unit: string,
  prepare: (context: SignalContext) => Compare,
  describe: PairSignal['describe'],
): PairSignal {
  return {
    name,
    family: 'registry',
    unit,
    query: 'run/analysis-apps',
    measure: async (context) => await Promise.resolve(compareAll(context, prepare(context))),
    describe,
  }
}

function compareAll({ apps, pairs }: SignalContext, compare: Compare): Map<PairKey, Measurement> {
  const result = new Map<PairKey, Measurement>()
  const measure = (pair: Pair) => {
    const a = apps.get(pair.a)
    const b = apps.get(pair.b)
    return a !== undefined && b !== undefined && isRegistered(a) && isRegistered(b) ? compare(a, b) : undefined
  }
  for (const pair of pairs) {
    const measurement = measure(pair)
    if (measurement !== undefined) result.set(pair.key, measurement)
  }
  return result
}

export const sameOwner = registrySignal(
  'same_owner',
  '1 = one account',
  () => (a, b) => {
    const same = a.owner_id === b.owner_id
    return { observed: same ? 1 : 0, expected: null, p: null, level: same ? 'same' : 'different' }
  },
  ({ observed }) => (observed === 1 ? 'registered by one account' : 'registered by different accounts'),
)

/** Names without environment words and digits; a stem that many apps bear is a word, not a name. */
export const nameStem = registrySignal(
  'name_stem',
  'Dice similarity of name stems, rare words counting more',
  ({ apps, tuning }) => {
    const frequency = frequencies(apps, (app) => words(app.stem))
    const rarity = (word: string) => {
      const count = frequency.get(word) ?? 1
      return count > tuning.registry.appsMax ? 0 : Math.log2((apps.size + 1) / count)
    }
    return (a, b) => {
      if (a.stem === '' || b.stem === '') return undefined
      const observed = weightedDice(words(a.stem), words(b.stem), rarity)
      const level = observed >= 0.9 ? 'same' : observed >= 0.5 ? 'similar' : 'different'
      return { observed, expected: null, p: null, level, note: a.stem }
    }
  },
  ({ observed, note }) =>
    observed >= 0.5 ? `names built on one stem ("${note ?? ''}")` : 'their names have nothing in common',
)

export const domain = registrySignal(
  'domain',
  '1 = a common callback or website domain',
  ({ apps, tuning }) => {
    const frequency = frequencies(apps, (app) => app.domains)
    const own = (app: App) => app.domains.filter((name) => (frequency.get(name) ?? 0) <= tuning.registry.appsMax)
    return (a, b) => {
      const [one, other] = [own(a), own(b)]
      if (one.length === 0 || other.length === 0) return undefined
      const common = one.find((name) => other.includes(name))
      const level = common === undefined ? 'different' : 'same'
      return { observed: common === undefined ? 0 : 1, expected: null, p: null, level, note: common ?? '' }
    }
  },
  ({ observed, note }) => (observed === 1 ? `callbacks or website on one domain (${note ?? ''})` : 'domains differ'),
)

/** Jaccard similarity of the descriptions' word triples (shingles; Broder 1997). */
export const description = registrySignal(
  'description',
  'Jaccard similarity of description shingles',
  () => {
    const shingles = new Map<string, ReadonlySet<string>>()
    const of = (app: App) => {
      const known = shingles.get(app.app_id)
      if (known !== undefined) return known
      const made = shingleSet(app.description)
      shingles.set(app.app_id, made)
      return made
    }
    return (a, b) => {
      const [one, other] = [of(a), of(b)]
      if (one.size < 3 || other.size < 3) return undefined
      const common = one.intersection(other).size
      const observed = common / (one.size + other.size - common)
      const level = observed >= 0.6 ? 'same' : observed >= 0.25 ? 'similar' : 'different'
      return { observed, expected: null, p: null, level }
    }
  },
  ({ observed }) => `descriptions share ${Math.round(observed * 100)} % of their phrases`,
)

const HOUR_MS = hoursToMilliseconds(1)

/** Registered within an hour of each other; null: how often two random registrations of this platform are that close. */
export const creation = registrySignal(
  'creation',
  'hours between registrations',
  ({ apps }) => {
    const times = [...apps.values()].filter(isRegistered).map((app) => app.created_at_ms)
    const span =
      times.length === 0 ? 0 : times.reduce((x, y) => Math.max(x, y)) - times.reduce((x, y) => Math.min(x, y))
    return (a, b) => {
      const gap = Math.abs(a.created_at_ms - b.created_at_ms)
      const p = span === 0 ? 1 : Math.min(1, (2 * gap) / span)
      return { observed: gap / HOUR_MS, expected: null, p, level: gap <= HOUR_MS && span > 0 ? 'burst' : 'apart' }
    }
  },
  ({ observed }) => `registered ${observed.toFixed(1)} hours apart`,
)

function frequencies(apps: SignalContext['apps'], of: (app: App) => Iterable<string>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const app of apps.values()) for (const item of of(app)) counts.set(item, (counts.get(item) ?? 0) + 1)
  return counts
}

function words(stem: string): Set<string> {
  return new Set(stem.split(/\s+/).filter((word) => word.length >= 2))
}

function weightedDice(a: ReadonlySet<string>, b: ReadonlySet<string>, weight: (word: string) => number): number {
  const sum = (set: ReadonlySet<string>) => [...set].reduce((total, word) => total + weight(word), 0)
  const whole = sum(a) + sum(b)
  return whole === 0 ? 0 : (2 * sum(a.intersection(b))) / whole
}

function shingleSet(text: string): Set<string> {
  const list = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
  return new Set(list.slice(0, 400).flatMap((_, i) => (i + 3 <= list.length ? [list.slice(i, i + 3).join(' ')] : [])))
}
