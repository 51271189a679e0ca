/** What people build on the API, and which routes each use case draws on; the weights are drawn anew for each seed. */
import { at, type Rng, zipfWeights } from '#simulate/random.ts'
import type { Route } from '#simulate/routes.ts'

/** A kind of thing people build. Applications of one use case share much of their route mix, and that alone is no offence. */
export interface UseCase {
  readonly name: string
  /** What the description of such an app says; `{topic}` and `{city}` are filled in. */
  readonly phrases: readonly string[]
  readonly nouns: readonly string[]
  readonly routes: readonly Route[]
  readonly weights: readonly number[]
  /** Routes that a program of it needs, median. */
  readonly breadth: number
  readonly habits: ProgramHabits
}

/** What programs of one platform have in common. */
interface ProgramHabits {
  /** Routes that a program needs at least. */
  readonly breadthLeast: number
  /** How unequally a program uses them: standard deviation of the logarithm of a weight. */
  readonly unevenness: number
  /** How far a program's mix wanders within a day or two: standard deviation of the logarithm of a weight. */
  readonly drift: number
}

interface UseCaseSketch {
  readonly name: string
  readonly needles: readonly string[]
  readonly nouns: readonly string[]
  readonly phrases: readonly string[]
}

const USE_CASES: readonly UseCaseSketch[] = [
  {
    name: 'scheduler',
    needles: ['POST /2/posts', 'media', 'update.json', 'users/me'],
    nouns: ['Scheduler', 'Planner', 'Queue', 'Post'],
    phrases: [
      'Schedules posts for {topic} creators.',
      'Plan and publish posts ahead of time.',
      'Queue your posts and images.',
    ],
  },
  {
    name: 'analytics',
    needles: ['insights', 'counts', 'liking_users', '/posts/:id', 'users/:id/posts'],
    nouns: ['Metrics', 'Analytics', 'Insights', 'Stats'],
    phrases: [
      'Measures engagement on {topic} posts.',
      'Analytics for social teams in {city}.',
      'Weekly reports about your account.',
    ],
  },
  {
    name: 'followers',
    needles: ['follow', 'friend'],
    nouns: ['Followers', 'Unfollow', 'Circle', 'Tracker'],
    phrases: [
      'See who unfollowed you.',
      'Tracks followers of {topic} accounts.',
      'Find people to follow about {topic}.',
    ],
  },
  {
    name: 'listening',
    needles: ['search', 'stream', 'counts', 'trends', 'news'],
    nouns: ['Listen', 'Radar', 'Monitor', 'Watch'],
    phrases: [
      'Monitors mentions of brands about {topic}.',
      'Searches public posts about {topic}.',
      'Alerts when {topic} trends in {city}.',
    ],
  },
  {
    name: 'reader',
    needles: ['timelines', 'lists', 'bookmarks', '/posts/:id', 'liked', 'user_timeline'],
    nouns: ['Reader', 'Client', 'Deck', 'Feed'],
    phrases: [
      'A calm reader for your timeline.',
      'Alternative client with columns.',
      'Read lists about {topic} without noise.',
    ],
  },
  {
    name: 'support',
    needles: ['dm', 'mentions', 'users/by', 'POST /2/posts'],
    nouns: ['Support', 'Inbox', 'Desk', 'Reply'],
    phrases: [
      'Customer support inbox for shops in {city}.',
      'Answers direct messages for teams.',
      'Routes mentions to the right agent.',
    ],
  },
  {
    name: 'bot',
    needles: ['POST /2/posts', 'update.json', 'likes', 'reposts', 'mentions'],
    nouns: ['Bot', 'Robot', 'Autopost', 'Ticker'],
    phrases: [
      'Posts about {topic} every hour.',
      'A bot that reposts {topic}.',
      'Automated {topic} updates for {city}.',
    ],
  },
  {
    name: 'archive',
    needles: ['users/:id/posts', 'liked', 'search/all', 'user_timeline', 'media', 'statuses/show'],
    nouns: ['Archive', 'Backup', 'Export', 'Vault'],
    phrases: [
      'Archives public posts for research on {topic}.',
      'Back up your own posts.',
      'Exports likes and bookmarks.',
    ],
  },
  {
    name: 'login',
    needles: ['users/me', 'verify_credentials', 'oauth2', 'users/:id'],
    nouns: ['Login', 'Connect', 'Club', 'Pass'],
    phrases: [
      'Sign in for our {topic} community.',
      'Connects your profile with our shop in {city}.',
      'Login and share buttons.',
    ],
  },
  {
    name: 'moderation',
    needles: ['block', 'muting', 'mentions', 'compliance', 'rules'],
    nouns: ['Shield', 'Block', 'Guard', 'Mute'],
    phrases: ['Shared block lists.', 'Hides abuse from your mentions.', 'Moderation tools for {topic} communities.'],
  },
  {
    name: 'leads',
    needles: ['users/search', 'users/lookup', 'followers', 'search/recent', 'users/by', 'GET /2/users'],
    nouns: ['Leads', 'Prospect', 'Reach', 'Outreach'],
    phrases: [
      'Finds customers who talk about {topic}.',
      'Profile enrichment for sales teams.',
      'Audience research in {city}.',
    ],
  },
  {
    name: 'curation',
    needles: ['lists', 'spaces', 'communities', 'members', 'quotes'],
    nouns: ['Lists', 'Curator', 'Digest', 'Roundup'],
    phrases: ['Curates lists about {topic}.', 'A daily digest of {topic}.', 'Finds live spaces about {topic}.'],
  },
]

/** Use cases over these routes: the routes a use case is about weigh most, any other may occur. */
export function createUseCases(rng: Rng, routes: readonly Route[], habits: ProgramHabits): UseCase[] {
  const breadth = rng.fork('breadth').range(2.5, 6)
  const popularity = zipfWeights(routes.length, rng.range(0.6, 1.1))
  return USE_CASES.map((sketch) => {
    const weights = routes.map((route, index) => {
      const line = `${route.method} ${route.template}`
      const topical = sketch.needles.some((needle) => line.includes(needle))
      return at(popularity, index) * (topical ? rng.range(8, 40) : 0.25) * rng.lognormal(1, 0.6)
    })
    return { name: sketch.name, phrases: sketch.phrases, nouns: sketch.nouns, routes, weights, breadth, habits }
  })
}
