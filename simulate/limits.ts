/**
 * The platform's rate limiter: fixed windows by app and route for requests without a user, by app, user and route for the rest,
 * and for the latter one more count over all users of the app. A refused request costs nothing.
 */
import { type App, limitOf } from '#simulate/apps.ts'
import type { Account } from '#simulate/people.ts'
import { WINDOW_MS } from '#simulate/rhythm.ts'
import type { Route } from '#simulate/routes.ts'

/** Counts by a dense index; a count belongs to the window it was last written in. */
class WindowCounts {
  private readonly windows: Int32Array
  private readonly counts: Int32Array

  constructor(size: number) {
    this.windows = new Int32Array(size)
    this.counts = new Int32Array(size)
  }

  used(slot: number, window: number): number {
    return this.windows[slot] === window ? (this.counts[slot] ?? 0) : 0
  }

  add(slot: number, window: number): void {
    this.counts[slot] = this.used(slot, window) + 1
    this.windows[slot] = window
  }
}

interface UserCount {
  window: number
  count: number
}

export class Limiter {
  /** Headers of the last decision: allowed requests, requests left, and when the window ends (epoch milliseconds). */
  limit = 0
  remaining = 0
  resetAtMs = 0
  private readonly routes: number
  private readonly apps: number
  private readonly byApp: WindowCounts
  private readonly byAllUsers: WindowCounts
  private readonly byUser = new Map<number, UserCount>()
  private sweptAtMs = 0

  constructor(apps: number, routes: number) {
    this.apps = apps
    this.routes = routes
    this.byApp = new WindowCounts(apps * routes)
    this.byAllUsers = new WindowCounts(apps * routes)
  }

  /** Whether the request is served; afterwards `limit`, `remaining` and `resetAtMs` say what its headers say. */
  take(app: App, route: Route, user: Account | undefined, nowMs: number): boolean {
    const window = Math.floor((nowMs - app.windowPhaseMs) / WINDOW_MS)
    const slot = app.index * this.routes + route.index
    this.resetAtMs = (window + 1) * WINDOW_MS + app.windowPhaseMs
    if (user === undefined) return this.takeForApp(app, route, slot, window)
    if (nowMs - this.sweptAtMs > WINDOW_MS) this.sweep(nowMs)
    return this.takeForUser(app, route, user, slot, window)
  }

  private takeForApp(app: App, route: Route, slot: number, window: number): boolean {
    const used = this.byApp.used(slot, window)
    this.limit = limitOf(app, route, 'app')
    this.remaining = Math.max(0, this.limit - used - 1)
    if (used >= this.limit) return false
    this.byApp.add(slot, window)
    return true
  }

  private takeForUser(app: App, route: Route, user: Account, slot: number, window: number): boolean {
    const key = (user.index * this.apps + app.index) * this.routes + route.index
    let mine = this.byUser.get(key)
    if (mine === undefined) {
      mine = { window, count: 0 }
      this.byUser.set(key, mine)
    } else if (mine.window !== window) {
      mine.window = window
      mine.count = 0
    }
    const userLimit = limitOf(app, route, 'user')
    const allLimit = limitOf(app, route, 'all_users')
    const leftOfUser = userLimit - mine.count
    const leftOfAll = allLimit - this.byAllUsers.used(slot, window)
    const bindsAll = leftOfAll < leftOfUser
    this.limit = bindsAll ? allLimit : userLimit
    this.remaining = Math.max(0, Math.min(leftOfUser, leftOfAll) - 1)
    if (leftOfUser <= 0 || leftOfAll <= 0) return false
    mine.count += 1
    this.byAllUsers.add(slot, window)
    return true
  }

  /** Forgets users who have not asked for a window, so that memory follows the present and not the past. */
  private sweep(nowMs: number): void {
    this.sweptAtMs = nowMs
    const oldest = Math.floor(nowMs / WINDOW_MS) - 2
    for (const [key, count] of this.byUser) if (count.window < oldest) this.byUser.delete(key)
  }
}
