/** What developers write into the registry: names, descriptions, sites and callbacks. Collisions are as common as in life. */
import type { Registration } from '#simulate/apps.ts'
import type { Account } from '#simulate/people.ts'
import type { Rng } from '#simulate/random.ts'
import type { UseCase } from '#simulate/use-cases.ts'
import {
  ADJECTIVES,
  CITIES,
  FILLER_SENTENCES,
  FIRST_NAMES,
  LAST_NAMES,
  NOUNS,
  SYLLABLES,
  THROWAWAY_NAMES,
  TOPICS,
} from '#simulate/words.ts'

const DAY_MS = 86_400_000
/** Applications were registered over about this long before the traffic, days. */
const REGISTRY_AGE_DAYS = 2_200

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}

/** A made-up brand of two or three syllables. */
export function brandName(rng: Rng): string {
  return capital(Array.from({ length: rng.between(2, 3) }, () => rng.pick(SYLLABLES)).join(''))
}

/** A name a team gives to a product. */
export function productName(rng: Rng, useCase: UseCase): string {
  const style = rng.next()
  if (style < 0.3) return brandName(rng) + (rng.chance(0.3) ? ` ${rng.pick(useCase.nouns)}` : '')
  if (style < 0.6) return `${rng.pick(ADJECTIVES)}${rng.chance(0.5) ? ' ' : ''}${rng.pick(NOUNS)}`
  if (style < 0.8) return `${capital(rng.pick(TOPICS))} ${rng.pick(useCase.nouns)}`
  if (style < 0.9) return `${rng.pick(NOUNS)}${rng.pick(useCase.nouns)}`
  return `${rng.pick(CITIES)} ${rng.pick(useCase.nouns)}`
}

/** A name a single person gives to a key of their own. */
export function personalName(rng: Rng, useCase: UseCase): string {
  const style = rng.next()
  const first = rng.pick(FIRST_NAMES)
  if (style < 0.3) return rng.pick(THROWAWAY_NAMES) + (rng.chance(0.5) ? String(rng.below(1_000)) : '')
  if (style < 0.5) return `${first}${rng.pick(['s ', '_', '-', ' '])}${rng.pick(useCase.nouns).toLowerCase()}`
  if (style < 0.65) return `${first}_${rng.pick(LAST_NAMES)}${rng.below(100)}`
  if (style < 0.8) return `${rng.pick(TOPICS)}_${rng.pick(useCase.nouns).toLowerCase()}`
  return productName(rng, useCase)
}

/** A description of the use case in its developer's words; undefined when none was given. */
export function description(rng: Rng, useCase: UseCase): string | undefined {
  const style = rng.next()
  if (style < 0.1) return undefined
  if (style < 0.2) return rng.pick(FILLER_SENTENCES)
  const main = rng.pick(useCase.phrases).replace('{topic}', rng.pick(TOPICS)).replace('{city}', rng.pick(CITIES))
  const parts = [main]
  if (rng.chance(0.45)) parts.push(rng.pick(FILLER_SENTENCES))
  if (rng.chance(0.2)) parts.unshift(rng.pick(FILLER_SENTENCES))
  return parts.join(' ')
}

/** A domain for a product of this name. */
export function domainOf(rng: Rng, name: string): string {
  const label = name.toLowerCase().replaceAll(/[^a-z0-9]/g, '') || 'app'
  if (rng.chance(0.25))
    return `${label}.${rng.pick(['github.io', 'herokuapp.com', 'vercel.app', 'netlify.app', 'web.app'])}`
  return `${label}${rng.pick(['', '', '', 'app', 'hq'])}.${rng.pick(['com', 'com', 'io', 'app', 'net', 'co', 'dev', 'de', 'jp', 'com.br'])}`
}

/** Callback addresses: many keep what the tutorial says. */
function callbacks(rng: Rng, domain: string | undefined): string[] {
  if (domain === undefined || rng.chance(0.25)) {
    return rng.chance(0.25)
      ? []
      : [
          rng.pick([
            'http://localhost:3000/callback',
            'http://localhost:8080/callback',
            'http://127.0.0.1:5000/oauth',
            'http://localhost/',
            'https://example.com/callback',
            'oob',
          ]),
        ]
  }
  const path = rng.pick(['/callback', '/auth/callback', '/oauth/callback', '/api/auth/callback', '/login/return'])
  return rng.chance(0.3) ? [`https://${domain}${path}`, 'http://localhost:3000/callback'] : [`https://${domain}${path}`]
}

/** When an application was registered, epoch milliseconds: more of them recently. */
export function createdAt(rng: Rng, startMs: number): number {
  return Math.floor(startMs - DAY_MS * (2 + REGISTRY_AGE_DAYS * rng.next() ** 1.7))
}

interface RegistrationOptions {
  readonly owner: Account
  readonly useCase: UseCase
  readonly startMs: number
  /** A key somebody registered for themselves, rather than a product. */
  readonly personal: boolean
  readonly name?: string
  readonly domain?: string
  /** Probability that the developer leaves the description, or the site, empty; 0..1. */
  readonly careless?: number
}

/** What a developer unrelated to anybody would register. */
export function registration(rng: Rng, options: RegistrationOptions): Registration {
  const { useCase, personal } = options
  const name = options.name ?? (personal ? personalName(rng, useCase) : productName(rng, useCase))
  const careless = options.careless ?? 0
  const domain =
    options.domain ?? (!rng.chance(careless) && rng.chance(personal ? 0.25 : 0.85) ? domainOf(rng, name) : undefined)
  return {
    name,
    description: rng.chance(careless) ? undefined : description(rng, useCase),
    website: domain === undefined ? undefined : `https://${domain}`,
    callbackUrls: callbacks(rng, domain),
    createdAtMs: createdAt(rng, options.startMs),
    owner: options.owner,
  }
}
