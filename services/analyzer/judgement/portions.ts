/** Apps of clusters as parameters of a query: each app is in one cluster at most, so the number of its cluster travels beside it. */
import { z } from 'zod'

/** `apps` and `clusters` side by side: the number of the cluster that each app is in. */
export const ClusterApps = z.object({ apps: z.array(z.string()), clusters: z.array(z.int()) })

/** Ids of so many apps fit into one request. */
const APPS_PER_QUERY = 1000

/** Apps of clusters in portions whose ids fit into a request; a cluster is never cut. */
export function clusterPortions(clusters: readonly (readonly string[])[]): z.infer<typeof ClusterApps>[] {
  const portions: z.infer<typeof ClusterApps>[] = []
  for (const [number, apps] of clusters.entries()) {
    let portion = portions.at(-1)
    if (portion === undefined || portion.apps.length + apps.length > APPS_PER_QUERY) {
      portion = { apps: [], clusters: [] }
      portions.push(portion)
    }
    portion.apps.push(...apps)
    portion.clusters.push(...apps.map(() => number))
  }
  return portions
}
