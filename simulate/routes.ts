/**
 * The API: its route templates and what one application may ask of each in a limit window. Both are drawn anew for each seed, so
 * no route and no limit means anything by itself.
 */
import type { Rng } from '#simulate/random.ts'

export interface Route {
  readonly index: number
  readonly method: string
  readonly template: string
  /** Requests a window one application of the free tier may send without a user, or for one user. */
  readonly appLimit: number
  readonly userLimit: number
  /** Requests a window of a free-tier application over all its users. */
  readonly allUsersLimit: number
  readonly durationMsMedian: number
  readonly responseBytesMedian: number
}

const TEMPLATES: readonly string[] = [
  'GET /2/posts/:id',
  'GET /2/posts',
  'POST /2/posts',
  'DELETE /2/posts/:id',
  'GET /2/posts/search/recent',
  'GET /2/posts/search/all',
  'GET /2/posts/counts/recent',
  'GET /2/posts/:id/liking_users',
  'GET /2/posts/:id/reposted_by',
  'GET /2/posts/:id/quotes',
  'GET /2/users/:id',
  'GET /2/users',
  'GET /2/users/me',
  'GET /2/users/by/username/:username',
  'GET /2/users/:id/posts',
  'GET /2/users/:id/mentions',
  'GET /2/users/:id/timelines/home',
  'GET /2/users/:id/followers',
  'GET /2/users/:id/following',
  'POST /2/users/:id/following',
  'DELETE /2/users/:id/following/:id',
  'POST /2/users/:id/likes',
  'DELETE /2/users/:id/likes/:id',
  'GET /2/users/:id/liked_posts',
  'POST /2/users/:id/reposts',
  'DELETE /2/users/:id/reposts/:id',
  'GET /2/users/:id/blocking',
  'POST /2/users/:id/blocking',
  'GET /2/users/:id/muting',
  'POST /2/users/:id/muting',
  'GET /2/users/:id/bookmarks',
  'POST /2/users/:id/bookmarks',
  'GET /2/lists/:id',
  'GET /2/lists/:id/members',
  'POST /2/lists/:id/members',
  'GET /2/lists/:id/posts',
  'POST /2/lists',
  'GET /2/users/:id/owned_lists',
  'GET /2/users/:id/list_memberships',
  'GET /2/dm_conversations/:id/dm_events',
  'POST /2/dm_conversations/with/:id/messages',
  'GET /2/dm_events',
  'POST /2/media/upload',
  'POST /2/media/metadata',
  'GET /2/media/:id/status',
  'GET /2/spaces/:id',
  'GET /2/spaces/search',
  'GET /2/trends/by/place/:id',
  'GET /2/places/search',
  'GET /2/compliance/jobs',
  'POST /2/compliance/jobs',
  'GET /2/posts/sample/stream',
  'GET /2/posts/search/stream/rules',
  'POST /2/posts/search/stream/rules',
  'GET /2/communities/:id',
  'GET /2/communities/search',
  'GET /2/users/personalized_trends',
  'GET /2/users/search',
  'GET /1.1/statuses/user_timeline.json',
  'GET /1.1/followers/ids.json',
  'GET /1.1/friends/ids.json',
  'GET /1.1/statuses/show/:id.json',
  'POST /1.1/statuses/update.json',
  'GET /1.1/search/tweets.json',
  'GET /1.1/account/verify_credentials.json',
  'GET /1.1/application/rate_limit_status.json',
  'GET /1.1/users/lookup.json',
  'POST /1.1/friendships/create.json',
  'POST /1.1/favorites/create.json',
  'GET /1.1/trends/place.json',
  'POST /oauth2/token',
  'GET /2/usage/posts',
  'GET /2/news/search',
  'GET /2/insights/historical',
  'GET /2/insights/28hr',
  'GET /2/notes/search',
]

/** Free-tier limits per window before scaling; the shape follows published tables: most routes 5-30, some 60-900. */
const APP_LIMITS = [5, 5, 8, 10, 15, 15, 15, 25, 30, 60, 75, 180, 300, 450, 900] as const
const USER_LIMITS = [3, 5, 5, 10, 15, 15, 15, 25, 50, 75, 180, 300] as const
/**
 * `count` routes of this seed, most popular first. `load` scales limits with traffic, so that density changes no behaviour; an
 * application may serve `allUsersFactor` times its own free limit over all its users.
 */
export function createRoutes(rng: Rng, load: number, count: number, allUsersFactor: number): Route[] {
  return rng.sample(TEMPLATES, count).map((line, index) => {
    const [method = 'GET', template = '/'] = line.split(' ')
    const appLimit = Math.max(2, Math.round(rng.pick(APP_LIMITS) * load))
    const write = method !== 'GET'
    return {
      index,
      method,
      template,
      appLimit,
      userLimit: Math.max(2, Math.round(rng.pick(USER_LIMITS) * load)),
      allUsersLimit: Math.max(2, Math.round(appLimit * allUsersFactor)),
      durationMsMedian: rng.lognormal(write ? 90 : 45, 0.5),
      responseBytesMedian: rng.lognormal(write ? 400 : 2_500, 0.9),
    }
  })
}
