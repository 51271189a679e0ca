/** The signals of the analysis. To add one: CONTRIBUTING.md, "Add a signal in six steps". */
import { networkOverlap, sharedNetworks } from './networks.ts'
import { creation, description, domain, nameStem, sameOwner } from './registry.ts'
import { routeMix } from './route-mix.ts'
import type { PairSignal } from './signal.ts'
import { userAgent } from './user-agent.ts'
import { sharedUsers, userOverlap } from './users.ts'

export const NETWORK_SIGNALS: readonly PairSignal[] = [sharedNetworks, networkOverlap]
export const BEHAVIOUR_SIGNALS: readonly PairSignal[] = [routeMix, userAgent]
export const USER_SIGNALS: readonly PairSignal[] = [sharedUsers, userOverlap]
export const REGISTRY_SIGNALS: readonly PairSignal[] = [sameOwner, nameStem, domain, description, creation]
