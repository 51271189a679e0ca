import { evilCohort } from './evil-cohort.ts'
import { sharedAddresses } from './jaccard.ts'
import type { Peer } from './peer.ts'
import { synchroTrap } from './synchrotrap.ts'
import { tfIdfCosine } from './tf-idf.ts'

/** The published methods that `evaluate` compares with. */
export const PEERS: readonly Peer[] = [sharedAddresses, evilCohort, synchroTrap, tfIdfCosine]
